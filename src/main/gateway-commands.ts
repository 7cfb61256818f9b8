// `sampan gateway ...`: what leads where, and the configuration of other gateways as routes and policies.
import { Option, type Command } from 'commander'
import { askedHere, contextNameOption, contextOption, outputOption } from './command-options.ts'

export function addGatewayCommands(program: Command): void {
  const gateway = program.command('gateway').description('requests from outside: what leads where')
  const command = (name: string, description: string) =>
    gateway
      .command(name)
      .description(description)
      .addOption(contextOption())
      .addOption(contextNameOption())
      .addOption(outputOption())

  command('routes', 'list what leads where, and why something does not').action(async options =>
    (await import('../cli/commands/gateway.ts')).gatewayRoutes(askedHere(options)),
  )
  command('explain', 'say which rule takes a request')
    .argument('<url>', 'for example http://shop.localhost/orders')
    .option('-X, --method <method>', 'of the request', 'GET')
    .option('-H, --header <header>', "of the request, once for each: 'X-Version: 2'", eachOf, [])
    .action(async (url, options) => (await import('../cli/commands/gateway.ts')).explainUrl(url, askedHere(options)))
  // It asks no cluster.
  gateway
    .command('import')
    .description('make routes and policies of the configuration of Kong or of the labels of marathon-lb')
    .argument('<file...>', 'Kong: a file of decK or kongfig; Marathon: applications as JSON; - reads standard input')
    .addOption(
      new Option('--from <format>', 'what the files are (default: as they look)').choices(['kong', 'marathon']),
    )
    .option('-n, --namespace <name>', 'of the objects', 'default')
    .option(
      '--gateway <name>',
      'NAME or NAMESPACE/NAME of the Gateway that takes the routes (default: kube-system/sampan)',
    )
    .addOption(outputOption())
    .action(async (files, options) => (await import('../cli/commands/gateway-import.ts')).importGateway(files, options))
}

const eachOf = (text: string, before: readonly string[]): readonly string[] => [...before, text]
