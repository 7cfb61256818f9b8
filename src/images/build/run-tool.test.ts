import { expect, test } from 'vitest'
import { BuildError } from './build-error.ts'
import { runTool } from './run-tool.ts'

const failing = (script: string): Promise<unknown> =>
  runTool('sh', ['-c', script], { directory: '/', project: '/web', tells: 'last', shownAs: 'make' })

test.each([
  ['exit 3', 'it ended with exit code 3 and printed nothing'],
  ['echo; exit 1', 'it ended with exit code 1 and printed nothing'],
  ['kill -KILL $$', 'it was ended by SIGKILL and printed nothing'],
  ['echo half; kill -TERM $$', 'half\nit was ended by SIGTERM'],
  ['echo broken; exit 3', 'broken'],
])('a tool that fails with "%s"', async (script, said) => {
  await expect(failing(script)).rejects.toThrow(new BuildError(`make failed in /web:\n${said}`))
})
