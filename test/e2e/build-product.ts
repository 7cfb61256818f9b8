// The tests drive the built product: what is in dist/ must be what is in src/.
import { execFileSync } from 'node:child_process'
import { repository } from '../../src/testing/cluster-fixture.ts'

export function setup(): void {
  execFileSync(process.execPath, ['scripts/build.ts'], { cwd: repository, stdio: 'ignore' })
}
