// The tests drive the built product: what is in dist/ must be what is in src/. Programs that they use and
// Debian does not have are fetched.
import { execFileSync } from 'node:child_process'
import { fetchClientPrograms } from '../../src/testing/client-programs.ts'
import { repository } from '../../src/testing/cluster-fixture.ts'

export function setup(): void {
  fetchClientPrograms()
  execFileSync(process.execPath, ['scripts/build.ts'], { cwd: repository, stdio: 'ignore' })
}
