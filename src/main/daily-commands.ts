// The commands of every day: they look at what was delivered, and change it until the next delivery.
import { InvalidArgumentError, Option, type Command } from 'commander'
import {
  askedHere,
  contextNameOption,
  contextOption,
  environmentOption,
  fileOption,
  machine,
  outputOption,
  timeoutOption,
  wholeNumber,
  withContext,
} from './command-options.ts'

export function addDailyCommands(program: Command): void {
  addLooks(program)
  addProcesses(program)
  addChanges(program)
  addData(program.command('data').description('what services have on backing services, in files'))
  addEnvironments(program.command('env').description('whole environments'))
}

const of = (command: Command, about: string): Command =>
  command.addOption(environmentOption(about)).addOption(contextOption()).addOption(contextNameOption())

const usual = 'environment in which it runs'

function addLooks(program: Command): void {
  of(program.command('ps'), usual)
    .description('list instances and schedules of services')
    .argument('[service...]', 'these alone (default: all)')
    .addOption(outputOption())
    .action(async (services, options) => (await import('../cli/commands/ps.ts')).ps(services, askedHere(options)))

  of(program.command('logs'), usual)
    .description('show what the instances of a service wrote, merged by time')
    .argument('<service>')
    .argument('[instance]', 'this one alone; the end of its name is enough')
    .addOption(new Option('--file <path>', fileOption().description))
    .option('-f, --follow', 'go on with what comes')
    .option('--since <time>', 'of the last 45s, 10m, 2h30m or 1d')
    .option('--tail <lines>', 'at most so many lines of each instance', wholeNumber)
    .option('--previous', 'of the run before, of instances that were started again')
    .option('--task <task>', 'of the runs of this schedule')
    .addOption(outputOption())
    .action(async (service, instance, options) =>
      (await import('../cli/commands/logs.ts')).logs(service, instance, askedHere(options)),
    )

  of(program.command('history'), usual)
    .description('list the releases of a service')
    .argument('<service>')
    .addOption(fileOption())
    .option('--release <revision>', 'show the steps of this one', wholeNumber)
    .addOption(outputOption())
    .action(async (service, options) =>
      (await import('../cli/commands/history.ts')).history(service, askedHere(options)),
    )

  of(program.command('open'), usual)
    .description('show where a service answers, and open a browser there')
    .argument('<service>')
    .addOption(fileOption())
    .option('--print', 'open no browser')
    .action(async (service, options) =>
      (await import('../cli/commands/open.ts')).openCommand(service, askedHere(options)),
    )
}

function addProcesses(program: Command): void {
  of(program.command('exec'), usual)
    .description('run a command in an instance')
    .usage('[options] <service> [instance] -- <command...>')
    .argument('<service>')
    .argument('[instance-and-command...]', 'by default one that gets requests; the command stands behind --')
    .addOption(fileOption())
    .action(async (service, words, options) =>
      (await import('../cli/commands/exec.ts')).exec(service, parted(words), askedHere(options)),
    )

  of(program.command('run'), usual)
    .description('run a task of a service now, or a command in the environment of the release that runs')
    .usage('[options] <service> (<task> | -- <command...>)')
    .argument('<service>')
    .argument('[task...]', 'of the schedules; or a command behind --')
    .addOption(fileOption())
    .action(async (service, words, options) =>
      (await import('../cli/commands/run.ts')).run(service, parted(words), askedHere(options)),
    )
}

/** What stood before `--`, and behind it. */
function parted(words: readonly string[]): { readonly before: readonly string[]; readonly command: readonly string[] } {
  const at = process.argv.indexOf('--')
  const command = at < 0 ? [] : process.argv.slice(at + 1)
  return { before: words.slice(0, words.length - command.length), command }
}

function addChanges(program: Command): void {
  of(program.command('restart'), usual)
    .description('replace the instances of a service, as a release would')
    .argument('<service>')
    .addOption(fileOption())
    .addOption(timeoutOption())
    .addOption(outputOption())
    .action(async (service, options) =>
      (await import('../cli/commands/restart.ts')).restart(service, { ...withContext(options), ...(await machine()) }),
    )

  of(program.command('scale'), usual)
    .description('change the number of instances until the next deployment')
    .argument('<service>')
    .argument('<instances>', 'how many', countOf)
    .addOption(fileOption())
    .addOption(timeoutOption())
    .addOption(outputOption())
    .action(async (service, instances, options) =>
      (await import('../cli/commands/restart.ts')).scale(service, instances, {
        ...withContext(options),
        ...(await machine()),
      }),
    )

  of(program.command('delete'), usual)
    .description('take everything of a service away but its data')
    .argument('<service>')
    .addOption(fileOption())
    .option('--with-data', 'its data too, and what was made for it on other servers')
    .option('--yes', 'do not ask')
    .addOption(timeoutOption())
    .addOption(outputOption())
    .action(async (service, options) =>
      (await import('../cli/commands/delete.ts')).deleteCommand(service, {
        ...withContext(options),
        ...(await machine()),
      }),
    )
}

function countOf(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected a whole number of at least 0')
  return value
}

function addData(data: Command): void {
  const dataFile = (): Option => new Option('--file <file>', 'the backup').makeOptionMandatory()
  of(data.command('backup'), usual)
    .description('save what a service has on a backing service in a file')
    .argument('<service>')
    .argument('[type]', 'such as postgres, where it has several')
    .addOption(dataFile())
    .option('--force', 'replace the file if it is there')
    .action(async (service, type, options) =>
      (await import('../cli/commands/data.ts')).backup(service, type, {
        ...withContext(options),
        ...(await machine()),
        timeout: 300,
      }),
    )

  of(data.command('restore'), usual)
    .description('replace what a service has on a backing service by a backup')
    .argument('<service>')
    .argument('[type]', 'such as postgres, where it has several')
    .addOption(dataFile())
    .option('--yes', 'do not ask')
    .action(async (service, type, options) =>
      (await import('../cli/commands/data.ts')).restore(service, type, {
        ...withContext(options),
        ...(await machine()),
        timeout: 300,
      }),
    )
}

function addEnvironments(env: Command): void {
  const change = (name: string, about: string): Command =>
    env.command(name).description(about).addOption(contextOption()).addOption(timeoutOption()).addOption(outputOption())

  env
    .command('list')
    .description('list the environments of sampan.yml')
    .addOption(outputOption())
    .action(async options => (await import('../cli/commands/env.ts')).envList(options))

  change('create', 'add an environment to sampan.yml and deliver all services to it')
    .argument('<new-environment>')
    .option('--extends <environment>', 'from which it has everything')
    .action(async (name, options) =>
      (await import('../cli/commands/env.ts')).envCreate(name, { ...options, ...(await machine()) }),
    )

  change('clone', 'make an environment as another one is now, with the versions that run there')
    .argument('<environment>', 'the one that is there')
    .argument('<new-environment>')
    .action(async (from, name, options) =>
      (await import('../cli/commands/env.ts')).envClone(from, name, { ...options, ...(await machine()) }),
    )

  change('delete', 'take an environment away with all its services and their data')
    .argument('<environment>')
    .option('--yes', 'do not ask')
    .action(async (name, options) =>
      (await import('../cli/commands/env.ts')).envDelete(name, { ...options, ...(await machine()) }),
    )
}
