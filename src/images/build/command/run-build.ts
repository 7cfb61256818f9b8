// The command that a person named to make what is started (`build.run`), run in the service's folder.
import type { BuildContext } from '../builder.ts'
import { runTool } from '../run-tool.ts'

/** @throws BuildError with what it said last */
export async function runBuild({ directory, settings, progress }: BuildContext): Promise<void> {
  const [program, ...args] = settings.run ?? []
  if (program === undefined) return
  await runTool(program, args, { directory, project: directory, tells: 'last' })
  progress([program, ...args].join(' '), false)
}
