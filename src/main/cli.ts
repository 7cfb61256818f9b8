// The `sampan` command. Each subcommand's code is loaded when it is used.
import { Command, InvalidArgumentError, Option } from 'commander'
import { CommandFailure, Output } from '../cli/output.ts'
import { sampanVersion } from './version.ts'

const program = new Command('sampan')
  .description('From source to a running, visible, reversible service: a Kubernetes-compatible cluster in a second, and delivery from one manifest.')
  .version(sampanVersion)
  .showHelpAfterError('(sampan --help shows what there is)')

const nameOption = (): Option => new Option('--name <name>', 'name of the cluster and of its kubeconfig context').default('sampan')
const dataOption = (): Option => new Option('--data-dir <directory>', 'where the cluster keeps its data (default: /var/lib/sampan/NAME)')
const outputOption = (): Option => new Option('-o, --output <format>', 'print the result for scripts').choices(['json'])

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('expected a port from 0 to 65535')
  return port
}

program.command('up').description('start the cluster on this machine')
  .addOption(nameOption()).addOption(dataOption()).addOption(outputOption())
  .option('--api-port <port>', 'port of the API on 127.0.0.1; 0 takes a free one (default: 6443)', portNumber)
  .action(async options => (await import('./commands/up.ts')).up(options))

program.command('down').description('stop the cluster and its containers')
  .addOption(nameOption()).addOption(dataOption())
  .option('--purge', 'delete the data of the cluster too')
  .action(async options => (await import('./commands/down.ts')).down(options))

program.command('status').description('say whether and how the cluster runs')
  .addOption(nameOption()).addOption(dataOption()).addOption(outputOption())
  .action(async options => (await import('./commands/status.ts')).status(options))

const expected = new Set(['CommandFailure', 'SetupError', 'StoreFailure', 'KubeconfigError', 'MissingProgramError', 'ApiError', 'ManifestError', 'BuildError', 'DeployError'])

try {
  await program.parseAsync()
} catch (error) {
  const { name, message, stack } = error as Error
  new Output().error(expected.has(name) ? message : `unexpected fault: ${message}`)
  if (!expected.has(name) && process.env['SAMPAN_DEBUG']) console.error(stack)
  process.exitCode = error instanceof CommandFailure ? error.exitCode : 1
}
