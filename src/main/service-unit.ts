// The unit of systemd that runs a cluster as a service of the machine, as text. The server forks away from
// `sampan up` and is the unit's process; containers have a scope of their own (src/host/process-place.ts), which
// ends after the unit, so that `sampan down` finds them alive and ends them in order.

export interface ServiceUnit {
  readonly cluster: string
  /** Path of the command `sampan`. */
  readonly program: string
  /** What `sampan up` is told, with absolute paths. */
  readonly upArguments: readonly string[]
  readonly dataDirectory: string
  readonly pidFile: string
  /** How long pods get to end when the cluster is stopped. */
  readonly stopSeconds: number
  /** Whether the server asks other machines when it starts. */
  readonly needsNetwork: boolean
  readonly environment: Readonly<Record<string, string>>
}

const startSeconds = 300
/** What ending the server, containerd and the network takes beside the pods. */
const stopReserveSeconds = 60

export function serviceUnitText(unit: ServiceUnit): string {
  const { cluster, program, dataDirectory, stopSeconds } = unit
  const down = ['down', '--service', '--name', cluster, '--data-dir', dataDirectory, '--timeout', String(stopSeconds)]
  const environment = Object.entries(unit.environment).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  )
  return `# Written by "sampan install", which replaces it when it is given other options; "sampan uninstall" removes it.
[Unit]
Description=Sampan cluster "${cluster}"
After=network-online.target nss-lookup.target
${unit.needsNetwork ? 'Wants=network-online.target\n' : ''}RequiresMountsFor=${quoted(dataDirectory)}
StartLimitIntervalSec=0

[Service]
Type=forking
PIDFile=${escaped(unit.pidFile)}
${environment.map(line => `${line}\n`).join('')}ExecStart=${commandLine(program, ['up', '--service', ...unit.upArguments])}
ExecStop=${commandLine(program, down)}
Restart=on-failure
RestartSec=2
TimeoutStartSec=${startSeconds}
TimeoutStopSec=${stopSeconds + stopReserveSeconds}
Slice=sampan.slice
OOMPolicy=continue
LimitNOFILE=1048576
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`
}

/** In a command, unlike elsewhere, `$` begins the name of a variable. */
const commandLine = (program: string, args: readonly string[]): string =>
  [quoted(program), ...args.map(argument => quoted(argument).replaceAll('$', '$$$$'))].join(' ')

/** One word for systemd, whatever is in it. Source: systemd.syntax(7), systemd.unit(5). */
function quoted(word: string): string {
  return /^[\w@:,./=+%-]+$/.test(word)
    ? escaped(word)
    : `"${escaped(word).replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}

const escaped = (text: string): string => text.replaceAll('%', '%%')
