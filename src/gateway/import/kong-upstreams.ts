// Kong's upstreams: addresses with weights, and how they share requests. Pure. Source: Kong, upstream and target.
import { addressType, isOfMachine, type Target } from './addresses.ts'
import type { Balance } from './balancing.ts'
import type { ImportContext } from './context.ts'
import type { Fields } from './fields.ts'
import { kongBalance } from './kong-balance.ts'
import { tellUnread, type KongFile } from './kong-file.ts'
import type { SourceBackend } from './source-route.ts'

export interface KongUpstream {
  readonly at: string
  readonly targets: readonly (Target & { readonly weight: number })[]
  /** That its instances are asked for by. */
  readonly host: string | undefined
  /** undefined: instances take turns. */
  readonly balance: Balance | undefined
  isUsed: boolean
  /** That were made of it, with all its targets in each. */
  readonly services: SourceBackend[]
}

/** By name. */
export function kongUpstreams(
  { upstreams, targets }: KongFile,
  context: ImportContext,
): ReadonlyMap<string, KongUpstream> {
  return new Map(
    upstreams.map(fields => {
      const name = fields.text('name') ?? ''
      const own = targets
        .filter(({ owner }) => owner !== undefined && [name, fields.text('id')].includes(owner))
        .flatMap(({ fields: target }) => targetOf(target, context))
      const upstream: KongUpstream = {
        at: fields.at,
        targets: own,
        host: fields.text('host_header'),
        balance: kongBalance(fields),
        isUsed: false,
        services: [],
      }
      tellUnread(fields)
      return [name.toLowerCase(), upstream]
    }),
  )
}

function targetOf(target: Fields, { report }: ImportContext): KongUpstream['targets'] {
  const text = target.text('target')
  const weight = target.number('weight') ?? 100
  const [, address, port = '8000'] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(text ?? '') ?? []
  tellUnread(target)
  if (address === undefined || text === undefined) {
    report.leftOut(target.at, 'expected host:port; correct it and import it again')
    return []
  }
  const plain = address.replace(/^\[|\]$/g, '')
  if (addressType(plain) === undefined || isOfMachine(plain)) {
    report.leftOut(
      target.at,
      isOfMachine(plain) || plain === 'localhost'
        ? `${text} is an address of the machine of Kong itself, which is no other's; make it a Service (weight ${weight})`
        : `${text} is a name, and the gateway leads to addresses; put its address into an EndpointSlice (weight ${weight})`,
    )
    return []
  }
  report.kept(target.at, `an endpoint of an EndpointSlice, with the weight ${weight}`)
  return [{ address: plain, port: Number(port), weight }]
}
