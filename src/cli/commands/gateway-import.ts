// `sampan gateway import FILE...`: routes and policies out of the configuration of another gateway. The objects go to standard
// output, and what became of each thing to standard error, so that the one can be applied and the other be read.
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { gatewayGroup, offeredGateway } from '../../api/gateway-names.ts'
import { importConfiguration, type ImportedFile, type SourceFormat } from '../../gateway/import/import-configuration.ts'
import { reportText, type Outcome, type ReportLine } from '../../gateway/import/report.ts'
import { errorText } from '../../lib/error-text.ts'
import { yamlText } from '../../lib/yaml-text.ts'
import { CommandFailure } from '../output.ts'

export interface ImportOptions {
  readonly from?: SourceFormat
  readonly namespace: string
  readonly gateway?: string
  readonly output?: 'json'
}

/** Something was left out. */
const leftOutCode = 3

export async function importGateway(paths: readonly string[], options: ImportOptions): Promise<void> {
  const { namespace, gateway, from, output } = options
  const files = await Promise.all(paths.map(readFile))
  const { objects, report } = imported(files, {
    namespace: nameOf(namespace, '--namespace'),
    parent: parentOf(gateway),
    ...(from !== undefined && { from }),
  })
  if (output === 'json') console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects, report }))
  else {
    process.stdout.write(objects.map(object => `---\n${yamlText(object)}`).join(''))
    console.error([...(report.length === 0 ? [] : [reportText(report)]), summary(objects.length, report)].join('\n'))
  }
  if (report.some(({ outcome }) => outcome === 'left out')) process.exitCode = leftOutCode
}

function imported(...what: Parameters<typeof importConfiguration>): ReturnType<typeof importConfiguration> {
  try {
    return importConfiguration(...what)
  } catch (error) {
    throw new CommandFailure(errorText(error))
  }
}

function summary(count: number, report: readonly ReportLine[]): string {
  const of = (outcome: Outcome): number => report.filter(line => line.outcome === outcome).length
  return `${count} objects; ${of('kept')} kept, ${of('changed')} changed, ${of('left out')} left out`
}

async function readFile(path: string): Promise<ImportedFile> {
  if (path === '-') return { name: 'standard input', text: await text(process.stdin) }
  try {
    return { name: path, text: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new CommandFailure(`expected a file to read, found none at ${path}: ${errorText(error)}`)
  }
}

/** `NAME`, of the namespace of the routes, or `NAMESPACE/NAME`. */
function parentOf(gateway: string | undefined) {
  const [first = '', second, ...more] = gateway?.split('/') ?? [offeredGateway.namespace, offeredGateway.name]
  if (first === '' || second === '' || more.length > 0)
    throw new CommandFailure(`expected --gateway NAME or NAMESPACE/NAME, found ${gateway}`)
  const reference = { group: gatewayGroup, kind: 'Gateway' }
  return second === undefined
    ? { ...reference, name: nameOf(first, '--gateway') }
    : { ...reference, namespace: nameOf(first, '--gateway'), name: nameOf(second, '--gateway') }
}

function nameOf(name: string, option: string): string {
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) return name
  throw new CommandFailure(`expected a name of lower-case letters, digits and - for ${option}, found "${name}"`)
}
