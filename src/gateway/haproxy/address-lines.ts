// Where requests and connections may come from, as lines of a backend. Pure.
import type { AllowedAddresses } from '../model/policing.ts'
import { quoted } from './quoted.ts'

/** Of a line of the configuration. */
const networksALine = 20

/** @param place makes the names of conditions different from those of other policies */
export const addressLines = (addresses: AllowedAddresses | undefined, place: number): readonly string[] =>
  refusing(
    addresses,
    place,
    condition =>
      `http-request return status 403 content-type text/plain string ${quoted('not from this address')} ${condition}`,
  )

export const refusedConnectionLines = (addresses: AllowedAddresses | undefined, place: number): readonly string[] =>
  refusing(addresses, place, condition => `tcp-request content reject ${condition}`)

function refusing(
  addresses: AllowedAddresses | undefined,
  place: number,
  line: (condition: string) => string,
): readonly string[] {
  if (addresses === undefined) return []
  const { allow, deny } = addresses
  const [allowed, denied] = [`allowed-${place}`, `denied-${place}`]
  return [
    ...listLines(denied, deny),
    ...(deny.length === 0 ? [] : [line(`if ${denied}`)]),
    ...listLines(allowed, allow ?? []),
    ...(allow === undefined ? [] : [line(allow.length === 0 ? 'if { always_true }' : `unless ${allowed}`)]),
  ]
}

const listLines = (name: string, networks: readonly string[]): readonly string[] =>
  Array.from({ length: Math.ceil(networks.length / networksALine) }, (_, at) =>
    ['acl', name, 'src', ...networks.slice(at * networksALine, (at + 1) * networksALine)].join(' '),
  )
