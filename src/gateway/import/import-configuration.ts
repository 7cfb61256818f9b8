// The files of another gateway as objects of this one, and what became of each thing in them. Pure.
import type { ParentReference } from '../../api/gateway-api/types.ts'
import { parseYaml } from '../../api/parse-yaml.ts'
import { errorText } from '../../lib/error-text.ts'
import type { ImportContext } from './context.ts'
import { isObject } from './fields.ts'
import { importKong } from './kong.ts'
import { fromKongfig, isKongfig } from './kongfig.ts'
import { isMarathon } from './marathon-apps.ts'
import { importMarathon } from './marathon-lb.ts'
import { newNames } from './names.ts'
import { newReport, type ReportLine } from './report.ts'

export type SourceFormat = 'kong' | 'marathon'

export interface ImportedFile {
  readonly name: string
  readonly text: string
}

export interface ImportSettings {
  /** undefined: told by what stands in each file. */
  readonly from?: SourceFormat
  readonly namespace: string
  readonly parent: ParentReference
}

export interface ImportedConfiguration {
  readonly objects: readonly object[]
  readonly report: readonly ReportLine[]
}

/** @throws Error that says what is wrong with a file */
export function importConfiguration(files: readonly ImportedFile[], settings: ImportSettings): ImportedConfiguration {
  const report = newReport()
  const context: ImportContext = {
    namespace: settings.namespace,
    parent: settings.parent,
    names: newNames(),
    report,
  }
  const read = files.map(file => {
    const value = parsed(file)
    return { value, format: formatOf(value, file.name, settings.from) }
  })
  const kong = read.filter(({ format }) => format === 'kong').map(({ value }) => value as Entity)
  const marathon = read.filter(({ format }) => format === 'marathon').map(({ value }) => value)
  const objects = [
    ...(kong.length === 0
      ? []
      : importKong(merged(kong.map(each => (isKongfig(each) ? fromKongfig(each, report) : each))), context)),
    ...(marathon.length === 0 ? [] : importMarathon(marathon.length === 1 ? marathon[0] : marathon, context)),
  ]
  return { objects, report: report.lines() }
}

type Entity = Readonly<Record<string, unknown>>

function parsed({ name, text }: ImportedFile): unknown {
  let value: unknown
  try {
    value = parseYaml(text, { duplicates: false }).value
  } catch (error) {
    throw new Error(
      `expected YAML or JSON in ${name}, found what is none: ${errorText(error).replace(/^error converting YAML to JSON: (?:yaml: )?/, '')}`,
      { cause: error },
    )
  }
  if (value === null || value === undefined)
    throw new Error(`expected the configuration of Kong or applications of Marathon in ${name}, found nothing`)
  return value
}

const kongLists = ['services', 'routes', 'consumers', 'plugins', 'upstreams', 'certificates', 'apis', 'consumer_groups']

function formatOf(value: unknown, name: string, forced: SourceFormat | undefined): SourceFormat {
  const isKong = isObject(value) && ('_format_version' in value || kongLists.some(key => Array.isArray(value[key])))
  const isApps = isMarathon(value)
  if (forced === 'kong' && !isObject(value))
    throw new Error(`expected fields of Kong in ${name}, found a list or a text`)
  if (forced === 'marathon' && !isObject(value) && !Array.isArray(value))
    throw new Error(`expected an application of Marathon or a list of them in ${name}, found a text`)
  if (forced !== undefined) return forced
  if (isKong && isApps)
    throw new Error(
      `expected one of both in ${name}, found lists of Kong (${kongLists.filter(key => isObject(value) && key in value).join(', ') || '_format_version'}) and applications of Marathon; say which it is by --from kong or --from marathon`,
    )
  if (isKong) return 'kong'
  if (isApps) return 'marathon'
  const found = isObject(value)
    ? Object.keys(value).slice(0, 5).join(', ') || 'no fields'
    : Array.isArray(value)
      ? 'a list of other things'
      : 'a text'
  throw new Error(
    `expected the configuration of Kong (_format_version, services, routes, apis ...) or applications of Marathon (id, labels ...) in ${name}, found ${found}; write it by deck gateway dump, or get /v2/apps of Marathon`,
  )
}

/** Files of one Kong belong together. Source: decK, several files. */
function merged(all: readonly Entity[]): Entity {
  const result: Record<string, unknown> = {}
  for (const each of all)
    for (const [key, value] of Object.entries(each)) {
      const before = result[key]
      result[key] =
        Array.isArray(before) && Array.isArray(value) ? [...(before as unknown[]), ...(value as unknown[])] : value
    }
  return result
}
