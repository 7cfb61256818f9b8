// `sampan trust`: the programs and browsers of this machine trust its certificate authority (local-authority.ts), by which
// the gateways of all its clusters vouch for local names; with --remove they no longer do.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CommandFailure, Output } from '../../cli/output.ts'
import { homeFolder } from '../../client/home-folder.ts'
import { browserDatabases, distrustInBrowser, trustInBrowser } from '../../host/browser-trust.ts'
import { MissingProgramError } from '../../host/command.ts'
import { commandClock } from '../../host/machine-clock.ts'
import { systemTrust, type TrustState } from '../../host/system-trust.ts'
import { errorText } from '../../lib/error-text.ts'
import { authorityDirectory, authorityName, localAuthority, readAuthority } from '../local-authority.ts'

export interface TrustOptions {
  readonly remove?: boolean
  readonly print?: boolean
  readonly output?: 'json'
}

/** One list of certificates that somebody trusts, and what became of ours there. */
interface Place {
  readonly kind: 'system' | 'browser'
  readonly place: string
  readonly state: TrustState | 'failed'
  readonly reason?: string
}

export async function trust({ remove = false, print = false, output: format }: TrustOptions): Promise<void> {
  const directory = authorityDirectory()
  if (process.getuid?.() !== 0 && (!print || readAuthority(directory) === undefined))
    throw new CommandFailure(
      `the certificate authority of this machine is root's, as its clusters are; run as root: sudo sampan trust${remove ? ' --remove' : ''}${print ? ' --print' : ''}`,
    )
  const { pair, certificateFile } = await localAuthority(directory, commandClock.now())
  if (print) return void process.stdout.write(pair.certificate)
  const output = new Output()
  output.working('bringing the lists of this machine up to date')
  const system = systemTrust('sampan')
  const places = [
    await inPlace('system', system?.file ?? 'the list of this machine', async () => {
      if (system === undefined) throw new Error('there is none; install it with: apt-get install ca-certificates')
      return remove ? system.remove() : system.add(pair.certificate)
    }),
    ...(await inBrowsers(remove, pair.certificate)),
  ]
  const { fingerprint256, validTo } = new X509Certificate(pair.certificate)
  const authority = { file: certificateFile, sha256: fingerprint256, expires: new Date(validTo).toISOString() }
  if (places.some(({ state }) => state === 'failed')) process.exitCode = 1
  output.quiet()
  if (format === 'json') return console.log(JSON.stringify({ authority, places }))
  for (const place of places) tell(output, place)
  if (remove) return output.line(`the authority itself stays in ${certificateFile}, and clusters go on with it`)
  output.line('curl and most programs: nothing more to do, as in: curl https://shop.localhost')
  output.line(`Node.js has a list of its own: export NODE_EXTRA_CA_CERTS=${system?.file ?? certificateFile}`)
  output.line('browsers that run know it after they were started again')
}

async function inBrowsers(remove: boolean, certificate: string): Promise<readonly Place[]> {
  const databases = [...new Set([homeFolder(), ...invokersHome()])].flatMap(browserDatabases)
  const places: Place[] = []
  // One after the other: they are few, and the program that is missing is told at each.
  for (const database of databases)
    places.push(
      await inPlace('browser', database, () =>
        remove ? distrustInBrowser(database, authorityName) : trustInBrowser(database, authorityName, certificate),
      ),
    )
  return places
}

async function inPlace(kind: Place['kind'], place: string, work: () => Promise<TrustState>): Promise<Place> {
  try {
    return { kind, place, state: await work() }
  } catch (error) {
    const again = error instanceof MissingProgramError ? ', then run this again' : ''
    return { kind, place, state: 'failed', reason: `${errorText(error)}${again}` }
  }
}

const said = {
  added: 'trusted from now on',
  present: 'trusted already',
  removed: 'no longer trusted',
  absent: 'was not trusted',
} as const satisfies Record<TrustState, string>

function tell(output: Output, { kind, place, state, reason }: Place): void {
  const whose = kind === 'system' ? 'by programs of this machine' : 'by a browser'
  if (state === 'failed') output.error(`${place}: ${reason}`)
  else output.line(`${said[state]} ${whose} (${place})`)
}

/** Of whoever typed sudo, whose browser it is. */
function invokersHome(): readonly string[] {
  const uid = process.env['SUDO_UID']
  if (uid === undefined || process.getuid?.() !== 0) return []
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(each => each.split(':')[2] === uid)
  const home = line?.split(':')[5]
  return home === undefined ? [] : [home]
}
