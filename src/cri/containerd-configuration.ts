// The configuration files of the private containerd, as text. Plug-ins nobody uses are off: each costs
// start-up time.

export interface ContainerdPlaces {
  readonly root: string
  readonly state: string
  readonly socket: string
  readonly pauseImage: string
  readonly cniConfiguration: string
  readonly cniPrograms: string
  readonly registryDirectory: string
  readonly snapshotter: Snapshotter
}

/** `native` copies every layer, and works on every file system. */
export type Snapshotter = 'overlayfs' | 'native'

const unusedPlugins = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.monitor.v1.cgroups',
  'io.containerd.nri.v1.nri',
  'io.containerd.internal.v1.opt',
]

/** `restrict_oom_score_adj`: without it no sandbox starts where lowering the OOM score is refused. */
export function containerdConfiguration(places: ContainerdPlaces): string {
  const text = (value: string): string => JSON.stringify(value)
  const unused: Snapshotter = places.snapshotter === 'native' ? 'overlayfs' : 'native'
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = ${text(places.root)}
state = ${text(places.state)}
disabled_plugins = [${[...unusedPlugins, `io.containerd.snapshotter.v1.${unused}`].map(text).join(', ')}]

[grpc]
  address = ${text(places.socket)}

[debug]
  level = "warn"

[${cri}]
  sandbox_image = ${text(places.pauseImage)}
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  max_concurrent_downloads = 4

  [${cri}.cni]
    bin_dir = ${text(places.cniPrograms)}
    conf_dir = ${text(places.cniConfiguration)}

  [${cri}.registry]
    config_path = ${text(places.registryDirectory)}

  [${cri}.containerd]
    snapshotter = ${text(places.snapshotter)}
    default_runtime_name = "runc"

    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [${cri}.containerd.runtimes.runc.options]
        Root = ${text(`${places.state}/runc`)}
`
}

/**
 * Point-to-point links with a route for each pod: replies between pods pass the node's address
 * translation, which a bridge would bypass. Translation itself, host ports included, belongs to the
 * network layer.
 */
export function cniConfiguration(options: {
  readonly podCidr: string
  readonly leaseDirectory: string
  readonly mtu?: number
}): string {
  return `${JSON.stringify(
    {
      cniVersion: '0.4.0',
      name: 'sampan',
      plugins: [
        {
          type: 'ptp',
          ipMasq: false,
          ...(options.mtu !== undefined && { mtu: options.mtu }),
          ipam: {
            type: 'host-local',
            dataDir: options.leaseDirectory,
            ranges: [[{ subnet: options.podCidr }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
      ],
    },
    undefined,
    2,
  )}\n`
}

/** Asked first for images of whichever registry; what it cannot give is fetched from there. */
export const cacheHosts = (address: string): string =>
  `[host.${JSON.stringify(`http://${address}`)}]\n  capabilities = ["pull", "resolve"]\n`

/** A mirror on this machine that speaks plain HTTP. */
export function registryHosts(address: string): string {
  return `server = ${JSON.stringify(`http://${address}`)}\n\n${cacheHosts(address)}`
}
