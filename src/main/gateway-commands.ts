// `sampan gateway ...`: what leads where.
import type { Command } from 'commander'
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
}

const eachOf = (text: string, before: readonly string[]): readonly string[] => [...before, text]
