import { expect, test } from 'vitest'
import { explainFailure } from './explain-failure.ts'

test.each<[string, string, RegExp | undefined]>([
  ['no compiler', 'npm error gyp ERR! stack Error: not found: make', /apt-get install build-essential python3$/],
  ['no C++', 'make: g++: No such file or directory\ngyp ERR! build error', /build-essential/],
  ['no Python', 'gyp ERR! find Python You need to install the latest version of Python.', /build-essential python3/],
  [
    'no headers',
    'gyp http GET https://nodejs.org/download/release/v24.1.0/node-v24.1.0-headers.tar.gz\ngyp ERR! stack FetchError: ENOTFOUND',
    /headers of Node\.js cannot be downloaded; .* npm_config_nodedir=FOLDER$/,
  ],
  ['no variable', 'npm error Failed to replace env in config: ${NPM_TOKEN}', /takes NPM_TOKEN from the environment/],
  ['no credentials', 'npm error code E401', /wants credentials; write them into \.npmrc/],
  ['no credentials (pnpm)', 'ERR_PNPM_FETCH_403  GET https://r/x: Forbidden - 403', /wants credentials/],
  ['no credentials (yarn)', '➤ YN0041: │ x@npm:1.0.0: Invalid authentication (as an anonymous user)', /wants cred/],
  ['no network', 'npm error code ENOTFOUND', /the registry of packages cannot be reached/],
  [
    'no network, with the registry',
    'npm error code ECONNREFUSED\nnpm error FetchError: request to http://127.0.0.1:1/a/-/a.tgz failed',
    /the registry of packages http:\/\/127\.0\.0\.1:1 cannot be reached/,
  ],
  ['what a person keeps it from asking for', 'npm error code ENOTCACHED', undefined],
  ['something else', 'npm error code EUSAGE', undefined],
])('%s is explained', (_what, output, advice) => {
  if (advice === undefined) expect(explainFailure(output)).toBeUndefined()
  else expect(explainFailure(output)).toMatch(advice)
})

test.each([
  'npm error code ENOTCACHED',
  ' ERR_PNPM_NO_OFFLINE_TARBALL  A package is missing',
  "➤ YN0080: │ a: Request to 'https://registry.yarnpkg.com/a' has been blocked",
])('%s is explained by the registries that did not answer', output => {
  expect(explainFailure(output, ['http://a', 'http://b'])).toMatch(
    /^the registry of packages http:\/\/a and http:\/\/b cannot be reached/,
  )
})
