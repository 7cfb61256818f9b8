// The `sampan` command. Each subcommand's code is loaded when it is used.
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { SecretOptions } from '../cli/commands/secret.ts'
import type { CommandFacts } from '../cli/completion.ts'
import { CommandFailure, Output } from '../cli/output.ts'
import { commandClock } from '../host/machine-clock.ts'
import {
  askedHere,
  contextNameOption,
  contextOption,
  environmentOption,
  environmentsOption,
  fileOption,
  identity,
  machine,
  outputOption,
  registryAsked,
  timeoutOption,
  wholeNumber,
  withContext,
} from './command-options.ts'
import { addDailyCommands } from './daily-commands.ts'
import { addGatewayCommands } from './gateway-commands.ts'
import { addImageCommands } from './image-commands.ts'
import { sampanVersion } from '../lib/version.ts'

const program = new Command('sampan')
  .description(
    'From source to a running, visible, reversible service: a Kubernetes-compatible cluster in a second, and delivery from one manifest.',
  )
  .version(sampanVersion)
  .showHelpAfterError('(sampan --help shows what there is)')

const nameOption = (): Option =>
  new Option('--name <name>', 'name of the cluster and of its kubeconfig context').default('sampan')
const dataOption = (): Option =>
  new Option('--data-dir <directory>', 'where the cluster keeps its data (default: /var/lib/sampan/NAME)')

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('expected a port from 0 to 65535')
  return port
}

function secondsNumber(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isInteger(seconds) || seconds < 0)
    throw new InvalidArgumentError('expected a whole number of seconds, 0 or more')
  return seconds
}

const oneMore = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text]

const serviceOption = (): Option => new Option('--service', 'asked by the unit of systemd').hideHelp()

/** What is said about a cluster when it is started, by hand or as a service. */
const startOptions = (command: Command): Command =>
  command
    .addOption(nameOption())
    .addOption(dataOption())
    .option('--api-port <port>', 'port of the API on 127.0.0.1; 0 takes a free one (default: 6443)', portNumber)
    .option(
      '--bind-address <address>',
      'address of this machine at which the API listens besides; 0.0.0.0: all of them',
    )
    .option(
      '--tls-san <name>',
      'name or address that the certificates of the API and of the registry vouch for; may be repeated',
      oneMore,
    )
    .option(
      '--advertise-address <address>',
      'address of this machine at which servers on other machines reach this one; "none" takes it back (default: as before)',
    )
    .option(
      '--node-port-addresses <ranges>',
      'where node ports and host ports answer: addresses of this machine in these ranges, such as 127.0.0.0/8,192.168.1.0/24 (default: as before, at first 0.0.0.0/0, everywhere)',
    )
    .option(
      '--registry-listen <address:port>',
      'where the image registry is reached from elsewhere, over HTTPS with tokens of the cluster as passwords, such as 0.0.0.0:5000 (default: on this machine alone, without)',
    )
    .option(
      '--acme-dns-command <file>',
      'a program that proves names in DNS to certificate authorities: FILE add|remove NAME VALUE makes a TXT record, or takes it away',
    )
    .option(
      '--store <store>',
      'where objects are kept: sqlite (the default), or etcd=http://HOST:2379 with more endpoints after commas',
    )
    .option('--store-ca <file>', 'certificate authority of etcd (PEM)')
    .option('--store-cert <file>', 'client certificate for etcd (PEM)')
    .option('--store-key <file>', 'its key (PEM)')
    .addOption(
      new Option(
        '--join <token>',
        'join the cluster in that etcd; the token is what "sampan status --join-token" prints on a server of it',
      ).env('SAMPAN_JOIN_TOKEN'),
    )
    .option('--join-file <file>', 'the same, with the token in a file')
    .option('--token-auth-file <file>', 'tokens that are believed: lines of token,user,uid,"group1,group2"')
    .option('--oidc-issuer-url <url>', 'OpenID Connect provider whose tokens are believed; begins with https://')
    .option('--oidc-client-id <id>', 'for whom its tokens have to be')
    .option('--oidc-username-claim <claim>', 'what is the user name (default: sub)')
    .option('--oidc-username-prefix <text>', 'what stands before it (default: issuer and #; -: nothing)')
    .option('--oidc-groups-claim <claim>', 'what are the groups')
    .option('--oidc-groups-prefix <text>', 'what stands before each')
    .option('--oidc-required-claim <claim=value>', 'what a token has to hold; may be repeated', oneMore)
    .option('--oidc-ca-file <file>', "authority of the provider's certificate (PEM)")
    .option('--oidc-signing-algs <names>', 'signatures that are taken (default: RS256)')
    .option('--audit-policy-file <file>', 'what is written to the audit log: a Policy of audit.k8s.io/v1')
    .option('--audit-log-path <file>', 'the audit log; only its owner can read it')
    .option('--audit-log-maxsize <megabytes>', 'size at which a new file is begun (default: 100)', wholeNumber)
    .option('--audit-log-maxbackup <number>', 'how many old files are kept (default: all)', wholeNumber)
    .option('--audit-log-maxage <days>', 'how long old files are kept (default: for ever)', wholeNumber)
    .addOption(outputOption())

startOptions(program.command('up').description('start the cluster on this machine'))
  .addOption(serviceOption())
  .action(async options => (await import('./commands/up.ts')).up(options))

startOptions(
  program
    .command('install')
    .description('make the cluster a service of the machine: it starts now and at boot, with the options given here'),
)
  .option('--stop-timeout <seconds>', 'how long pods may take to end when the machine goes down', secondsNumber, 60)
  .action(async options => (await import('./commands/install.ts')).install(options))

program
  .command('uninstall')
  .description('stop the cluster and take its service away')
  .addOption(nameOption())
  .action(async options => (await import('./commands/install.ts')).uninstall(options))

program
  .command('down')
  .description('stop the cluster and its containers; pods come back with the next up')
  .addOption(nameOption())
  .addOption(dataOption())
  .addOption(
    new Option(
      '--timeout <seconds>',
      'how long pods may take to end, at most; 0 kills them at once (default: 60, with --purge 5)',
    ).argParser(secondsNumber),
  )
  .addOption(serviceOption())
  .option('--purge', 'delete the data of the cluster too')
  .action(async options => (await import('./commands/down.ts')).down(options))

program
  .command('backup')
  .description("save the cluster's objects and keys in one file; the cluster may run meanwhile")
  .argument('<file>', 'where to; only its owner can read it')
  .addOption(nameOption())
  .addOption(dataOption())
  .option('--force', 'replace the file if it is there')
  .action(async (file, options) => (await import('./commands/backup.ts')).backup(file, options))

program
  .command('restore')
  .description('put a backup in place of the data of a cluster that is down')
  .argument('<file>', 'the backup')
  .addOption(nameOption())
  .addOption(dataOption())
  .option('--force', 'replace data that is there')
  .action(async (file, options) => (await import('./commands/backup.ts')).restore(file, options))

program
  .command('status')
  .description('say whether and how the cluster runs, or with -e, how the services of an environment are')
  .argument('[service...]', 'with -e: these alone')
  .addOption(environmentOption('environment whose services are meant').makeOptionMandatory(false))
  .addOption(contextOption())
  .addOption(nameOption())
  .addOption(dataOption())
  .addOption(outputOption())
  .option('--join-token', 'print the token that lets another server join this cluster, and nothing else')
  .action(async (services: string[], options, command: Command) => {
    const { environment, name, ...others } = options
    if (environment !== undefined) {
      const { serviceStatus } = await import('../cli/commands/service-status.ts')
      const given = command.getOptionValueSource('name') === 'cli' ? { ...others, name } : others
      return serviceStatus(services, { ...withContext(given), environment, clock: commandClock })
    }
    if (services.length > 0) throw new CommandFailure('which environment? sampan status -e NAME shows its services')
    return (await import('./commands/status.ts')).status(options)
  })

program
  .command('trust')
  .description(
    'let this machine and its browsers trust the certificates of its clusters at local names (https://NAME.localhost)',
  )
  .option('--remove', 'trust them no longer')
  .addOption(
    new Option('--print', 'print the certificate of their authority (PEM), and nothing else').conflicts([
      'remove',
      'output',
    ]),
  )
  .addOption(outputOption())
  .action(async options => (await import('./commands/trust.ts')).trust(options))

program
  .command('init')
  .description('write a first app.yml for the service in a folder, from what is found there')
  .argument('[directory]', 'folder of the service', '.')
  .addOption(outputOption())
  .action(async (directory, options) => (await import('../cli/commands/init.ts')).initCommand(directory, options))

program
  .command('check')
  .description('tell the mistakes of manifests (app.yml) and of the file of the team (sampan.yml), without a cluster')
  .argument('[file...]', 'files, or folders with all below them', ['.'])
  .addOption(outputOption())
  .action(async (files, options) => (await import('../cli/commands/check.ts')).checkCommand(files, options))

program
  .command('build')
  .description('build the service in a folder and push its image to the cluster')
  .argument('[directory]', 'folder of the service', '.')
  .option(
    '-t, --tag <name:version>',
    'name and version of the image (default: as app.yml wants it, else as the project says)',
  )
  .option('--registry <host:port>', 'registry to push to (default: that of the cluster)')
  .addOption(contextOption())
  .addOption(contextNameOption())
  .addOption(outputOption())
  .action(async (directory, options) => (await import('../cli/commands/build.ts')).build(directory, askedHere(options)))

program
  .command('dev')
  .description('bring each change of services to where they run, until Ctrl-C; then it is as it was before')
  .argument('[service...]', 'these (default: that of the app.yml here, else all of sampan.yml)')
  .addOption(new Option('-e, --environment <name>', 'environment (default: dev or test, as the files have it)'))
  .addOption(contextOption())
  .addOption(contextNameOption())
  .addOption(fileOption())
  .option('--keep', 'leave what runs at the end')
  .addOption(
    new Option('--inspect [port]', 'let a debugger in, at this port of this machine')
      .argParser(portNumber)
      .preset(9229),
  )
  .addOption(timeoutOption().hideHelp())
  .action(async (services, options) =>
    (await import('../cli/commands/dev.ts')).dev(services, { ...withContext(options), ...(await machine()) }),
  )

program
  .command('image')
  .description("make Sampan's own image, which runs a cluster in a privileged container, and push it to the cluster")
  .option('--archive <file>', 'write the image to a file for "docker load" instead')
  .option('--registry <host:port>', 'registry to push to (default: that of the cluster)')
  .addOption(contextOption())
  .addOption(contextNameOption())
  .addOption(outputOption())
  .action(async options => (await import('./commands/image.ts')).image(withContext(options)))

program
  .command('deploy')
  .description('bring versions of services into environments and wait until they run')
  .argument('[name:version...]', 'for example geo-backend:1.0.0 (default: all services of sampan.yml)')
  .addOption(environmentsOption())
  .addOption(fileOption())
  .addOption(contextOption())
  .addOption(contextNameOption())
  .addOption(timeoutOption())
  .addOption(outputOption())
  .option('--dry-run', 'print the plan and change nothing')
  .addOption(new Option('--resume', 'go on with a delivery that was interrupted').conflicts('dryRun'))
  .option('--together', 'all of them or none: when one fails, the others are taken back')
  .action(async (targets, options) =>
    (await import('../cli/commands/deploy.ts')).deployCommand(targets, {
      ...withContext(options),
      ...(await machine()),
    }),
  )

program
  .command('diff')
  .description('show what a deployment would change, and what was changed since the last one; exit code 1: something')
  .argument('[name:version...]', 'for example geo-backend:1.0.0 (default: all services of sampan.yml)')
  .addOption(environmentOption())
  .addOption(fileOption())
  .addOption(contextOption())
  .addOption(contextNameOption())
  .addOption(outputOption())
  .action(async (targets, options) => {
    const { diffCommand } = await import('../cli/commands/diff.ts')
    process.exitCode = await diffCommand(targets, { ...withContext(options), timeout: 300, ...(await machine()) })
  })

program
  .command('render')
  .description('print the objects of services, without a cluster and without the values of secrets')
  .argument('[name:version...]', 'for example geo-backend:1.0.0 (default: all services of sampan.yml)')
  .addOption(environmentOption())
  .addOption(fileOption())
  .addOption(outputOption())
  .action(async (targets, options) =>
    (await import('../cli/commands/render.ts')).renderCommand(targets, { ...options, clock: commandClock }),
  )

program
  .command('rollback')
  .description('go back to the release before, or to the one that --to names')
  .argument('<name...>', 'services')
  .addOption(environmentsOption())
  .addOption(fileOption())
  .addOption(contextOption())
  .addOption(contextNameOption())
  .addOption(timeoutOption())
  .addOption(outputOption())
  .option('--to <revision>', 'revision to go back to', wholeNumber)
  .option('--keep-schema', 'leave the schema of the database as it is')
  .action(async (services, options) =>
    (await import('../cli/commands/rollback.ts')).rollbackCommand(services, {
      ...withContext(options),
      ...(await machine()),
    }),
  )

addDailyCommands(program)
addImageCommands(program)
addGatewayCommands(program)

const secret = program.command('secret').description('values that are encrypted in the repository, for named people')

/** Two commands on this machine do not change a file at once. */
async function secretsHere<T>(options: T): Promise<T & Pick<SecretOptions, 'identity' | 'oneAtATime'>> {
  const { whileLocked } = await import('../host/lock.ts')
  return { ...options, identity, oneAtATime: whileLocked }
}

const secretCommand = (name: string, description: string): Command =>
  secret
    .command(name)
    .description(description)
    .addOption(environmentOption('environment whose secrets they are'))
    .addOption(outputOption())
const ofOneSecret = (name: string, description: string): Command =>
  secretCommand(name, description)
    .argument('<service-and-name...>', 'SERVICE NAME, or NAME alone for what all services of the environment get')
    .usage('[options] -e <environment> [service] <name>')

ofOneSecret('set', 'set a value, which comes from standard input or is asked for on a terminal')
  .option('--generate', 'make a value that nobody has to know')
  .action(async (words, options) =>
    (await import('../cli/commands/secret.ts')).secretSet(words, await secretsHere(options)),
  )
ofOneSecret('get', 'print a value').action(async (words, options) =>
  (await import('../cli/commands/secret.ts')).secretGet(words, await secretsHere(options)),
)
secretCommand('list', 'print the names of what there is, and no values')
  .argument('[service]', 'what this service gets (default: all of it)')
  .action(async (service, options) =>
    (await import('../cli/commands/secret.ts')).secretList(service, await secretsHere(options)),
  )
secretCommand('edit', 'change values in an editor (EDITOR); they are never written to a disk').action(async options =>
  (await import('../cli/commands/secret.ts')).secretEdit(await secretsHere(options)),
)
ofOneSecret('remove', 'remove a value').action(async (words, options) =>
  (await import('../cli/commands/secret.ts')).secretRemove(words, await secretsHere(options)),
)
secretCommand('rekey', 'encrypt all values of an environment anew, for those who are its readers now').action(
  async options => (await import('../cli/commands/secret.ts')).secretRekey(await secretsHere(options)),
)
ofOneSecret('rotate', 'replace a value: a generated one by the next, another one by what is asked for').action(
  async (words, options) => (await import('../cli/commands/secret.ts')).secretRotate(words, await secretsHere(options)),
)
secret
  .command('keygen')
  .description('make an identity, which reads secrets, for a person or a machine')
  .option('--file <file>', 'where to (default: SAMPAN_AGE_KEY_FILE, else ~/.config/sampan/identity.txt)')
  .option('--name <name>', 'whose it is (default: the user)')
  .addOption(outputOption())
  .action(async options =>
    (await import('../cli/commands/secret.ts')).secretKeygen({ ...options, identity, clock: commandClock }),
  )

program
  .command('completion')
  .description('print a script that completes commands, options, services and environments in a shell')
  .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
  .action(async (shell: 'bash' | 'zsh' | 'fish') => {
    const { completionScripts } = await import('../cli/completion.ts')
    process.stdout.write(completionScripts[shell])
  })

const askedByScripts = 'completion-candidates'
program
  .command(askedByScripts, { hidden: true })
  .argument('[words...]')
  .action(async (words: string[]) => {
    const { completion, completionLines, offersHere } = await import('../cli/completion.ts')
    const images =
      words[0] === 'images' ? await (await import('../cli/offered-images.ts')).offeredImages(words, registryAsked) : []
    const offers = { ...offersHere, images: () => images }
    for (const line of completionLines(completion(words, commandFacts(), offers))) console.log(line)
  })

/** What completion needs to know of the commands. */
const commandFacts = (of: Command = program): CommandFacts[] =>
  of.commands
    .filter(command => command.name() !== askedByScripts)
    .map(command => ({
      name: command.name(),
      about: command.description(),
      commands: commandFacts(command),
      options: command.options
        .filter(({ hidden }) => !hidden)
        .map(option => ({
          names: [option.short, option.long].filter(name => name !== undefined),
          about: option.description,
          value: /<([^>]*)>/.exec(option.flags)?.[1],
          choices: option.argChoices ?? [],
        })),
      operands: command.registeredArguments.map(argument => ({
        name: argument.name(),
        choices: argument.argChoices ?? [],
        repeats: argument.variadic,
      })),
    }))

const expected = new Set([
  'CommandFailure',
  'SetupError',
  'StoreFailure',
  'KubeconfigError',
  'MissingProgramError',
  'ApiError',
  'ManifestError',
  'BuildError',
  'ArchiveError',
  'DeployError',
  'StepFailure',
  'LedgerConflict',
  'SecretsError',
  'ServiceFailure',
])

// Who no longer reads what a command says has not asked it to stop half-way, nor has a disk that is full.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return
    if (stream === process.stderr) return
    process.exitCode ||= 1
    new Output().error(`the output could not be written: ${message}`)
  })

try {
  await program.parseAsync()
} catch (error) {
  const { name, message, stack } = error as Error
  new Output().error(expected.has(name) ? message : `unexpected fault: ${message}`)
  if (!expected.has(name) && process.env['SAMPAN_DEBUG']) console.error(stack)
  process.exitCode = error instanceof CommandFailure ? error.exitCode : 1
}
