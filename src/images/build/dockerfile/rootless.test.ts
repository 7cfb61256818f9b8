import { expect, test } from 'vitest'
import { missingForRootless } from './rootless.ts'

// As buildah 1.28 says it.
test.each([
  [
    'ids',
    'level=warning msg="Reading allowed ID mappings: reading subuid mappings for user \\"ann\\" and subgid mappings for group \\"ann\\": no subuid ranges found for user \\"ann\\" in /etc/subuid"',
    'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann',
  ],
  [
    'groups',
    'level=warning msg="Found no GID ranges set aside for user \\"ann\\" in /etc/subgid."',
    'ann has none in /etc/subuid and /etc/subgid',
  ],
  [
    'newuidmap',
    'Error: error running new{g,u}idmap: exec: "newuidmap": executable file not found in $PATH',
    'apt-get install uidmap',
  ],
  [
    'user namespaces',
    'cannot clone: Operation not permitted\nuser namespaces are not enabled in /proc/sys/kernel/unprivileged_userns_clone',
    'sysctl user.max_user_namespaces=15000',
  ],
])('%s that are missing are named with how to get them', (_what, said, advice) => {
  expect(missingForRootless(said, 'ann')).toContain(advice)
})

test('a mistake in the Dockerfile is nothing of that', () => {
  expect(missingForRootless('Error: building at STEP "RUN false": exit status 1', 'ann')).toBeUndefined()
})
