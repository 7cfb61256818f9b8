// Compares defaults, preparation and validation with what a real API server answered. The recordings
// are of 1.26 and stand outside the repository; where they are absent the test says so and passes.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeObject } from '../decode.ts'
import type { FieldError } from '../field-error.ts'
import type { KindDefinition } from '../kind.ts'
import type { KubeObject } from '../object.ts'
import { apiVersionOf } from '../resource.ts'
import { validateObjectMeta } from '../validation/object-meta.ts'
import { allKinds } from './all.ts'

interface Exchange {
  name: string
  request: { method: string; path: string; body?: KubeObject }
  response?: { status: number; body: KubeObject & { details?: { causes?: FieldError[] } } } | null
}

const file = [process.env.SAMPAN_REFERENCE ?? '', '../shared/reference', '../../shared/reference']
  .map(folder => resolve(import.meta.dirname, '../../..', folder, 'exchanges-1.26.jsonl'))
  .find(existsSync)
const exchanges: Exchange[] =
  file === undefined
    ? []
    : readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Exchange)
if (file === undefined) console.log('skipped: the recorded exchanges are not on this machine')

function kindOf({ request }: Exchange): KindDefinition | undefined {
  const path = request.path.replace(/\?.*/, '')
  return allKinds.find(({ resource }) => {
    const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`
    return (
      path === `${root}/${resource.plural}` || new RegExp(`^${root}/namespaces/[^/]+/${resource.plural}$`).test(path)
    )
  })
}

function prepare(exchange: Exchange, kind: KindDefinition): { object: KubeObject; errors: FieldError[] } {
  const body = structuredClone(exchange.request.body!)
  const object = decodeObject(kind.model, body).object as unknown as KubeObject
  const namespaced = kind.resource.scope === 'Namespaced'
  if (namespaced) object.metadata.namespace ??= 'gold'
  object.metadata.uid = exchange.response?.body.metadata.uid ?? 'uid'
  if (object.metadata.generateName !== undefined) object.metadata.name ||= `${object.metadata.generateName}abcde`
  kind.defaults?.(object)
  kind.prepareForCreate?.(object)
  return {
    object,
    errors: [
      ...validateObjectMeta(object.metadata, { namespaced, nameRule: kind.nameRule }),
      ...(kind.validate?.(object) ?? []),
      ...(kind.validateCreate?.(object) ?? []),
    ],
  }
}

/** Takes away what admission and allocation add, what varies, and what 1.36 says differently. */
function comparable(object: KubeObject): unknown {
  const text = JSON.stringify(object, (key, value: unknown) => {
    if (
      [
        'tolerations',
        'priority',
        'preemptionPolicy',
        'serviceAccount',
        'serviceAccountName',
        'clusterIP',
        'clusterIPs',
        'nodePort',
        'podReplacementPolicy',
        'taints',
        'persistentVolumeClaimRetentionPolicy',
      ].includes(key)
    )
      return undefined
    if (value === null) return undefined
    if (Array.isArray(value)) {
      const kept = value.filter(item => !(item as { name?: string } | null)?.name?.startsWith?.('kube-api-access-'))
      return kept.length === 0 ? undefined : kept
    }
    return value
  })
  const plain = JSON.parse(
    text
      .replaceAll('batch.kubernetes.io/controller-uid', 'controller-uid')
      .replaceAll('batch.kubernetes.io/job-name', 'job-name'),
  ) as KubeObject
  if (plain.kind === 'NetworkPolicy') delete (plain as { status?: unknown }).status
  plain.metadata = {
    name: plain.metadata.name,
    ...(plain.metadata.labels && { labels: plain.metadata.labels }),
  } as KubeObject['metadata']
  return plain
}

/** Wording that changed between 1.26 and 1.36, and lists whose order is of no importance. */
function comparableCause({ reason, field, message }: FieldError): unknown {
  const text = message
    .replace(/must be no more than (\d+) characters/, 'must be no more than $1 bytes')
    .replace(/(than or equal to \w+ limit) of .*/, '$1')
    // Objects are printed as JSON now, as Go values before.
    .replace(/Invalid value: (?:null|[[{\d]|\[\]byte|\w[\w.[\]]*[({]).*?: (?=[^"{}[\]]+$)/, 'Invalid value: {}: ')
    .replace(/supported values: (.*)/, (_, list: string) => `supported values: ${list.split(', ').sort().join(', ')}`)
  return { reason, field, message: text }
}

const ours = exchanges.filter(
  exchange =>
    exchange.request.method === 'POST' &&
    typeof exchange.request.body === 'object' &&
    exchange.response !== undefined &&
    exchange.response !== null &&
    kindOf(exchange) !== undefined &&
    kindOf(exchange)!.stored !== false &&
    !exchange.request.path.includes('dryRun='),
)
// The environment rule is looser since 1.34, the rule about ports of the host's network is another since 1.28,
// bytes are printed as base64; allocation belongs to the server.
const decoding = /env name|host network port|out of range|no priority|gold-csr/

describe.runIf(file !== undefined)('as the API server of Kubernetes answers', () => {
  beforeAll(async () => {
    for (const kind of allKinds) await kind.load?.()
  })

  test.each(
    ours.filter(exchange => exchange.response!.status === 201).map(exchange => [exchange.name, exchange] as const),
  )('%s', (_, exchange) => {
    const { object, errors } = prepare(exchange, kindOf(exchange)!)
    expect(errors).toEqual([])
    expect(comparable(object)).toEqual(comparable(exchange.response!.body))
  })

  test.each(
    ours
      .filter(exchange => exchange.response!.status === 422 && !decoding.test(exchange.name))
      .map(exchange => [exchange.name, exchange] as const),
  )('%s', (_, exchange) => {
    const { errors } = prepare(exchange, kindOf(exchange)!)
    expect(errors.map(comparableCause)).toEqual((exchange.response!.body.details?.causes ?? []).map(comparableCause))
  })
})
