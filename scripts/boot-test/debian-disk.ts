// The disks of the virtual machine: a stock Debian with its own kernel, made by debootstrap and kept between
// runs, and a second one with Sampan as npm installs it. Nothing is mounted for it: mke2fs fills a file.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { clusterPackages } from '../../src/host/cluster-programs.ts'
import { run } from '../../src/host/command.ts'

export const suites = ['bookworm', 'trixie'] as const
export type Suite = (typeof suites)[number]

export interface Disk {
  readonly image: string
  readonly kernel: string
  readonly initrd: string
}

const mirror = process.env['SAMPAN_DEBIAN_MIRROR'] ?? 'http://deb.debian.org/debian'
const packages = [
  ...clusterPackages,
  'linux-image-cloud-amd64',
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'systemd-resolved',
  'apparmor',
  'procps',
  'udev',
  'ca-certificates',
  'kubernetes-client',
  'busybox-static',
]
/** Name of the serial port between the machine and the test. */
export const portName = 'sampan.test'

/** Answers each line, a command in base64, with its exit code and output. */
const shell = `#!/bin/sh
exec 3<>/dev/virtio-ports/${portName}
echo ready >&3
while read -r line <&3; do
  printf %s "$line" | base64 -d > /run/test-command
  sh /run/test-command > /run/test-output 2>&1 < /dev/null 3>&-
  printf '%s %s\\n' $? "$(base64 -w0 /run/test-output)" >&3
done
`

const files: Readonly<Record<string, string>> = {
  'etc/fstab': '/dev/vda / ext4 defaults 0 1\n/dev/vdb /usr/local ext4 defaults 0 2\n',
  'etc/hostname': 'boot-test\n',
  'etc/hosts': '127.0.0.1 localhost boot-test\n',
  'etc/systemd/network/10-ethernet.network': '[Match]\nType=ether\nName=en*\n[Network]\nDHCP=ipv4\nDNS=10.0.2.3\n',
  // Stricter than Debian: the end of a login session ends all that is in it.
  'etc/systemd/logind.conf.d/kill.conf': '[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n',
  'usr/lib/test-shell': shell,
  'etc/systemd/system/test-shell.service': `[Unit]
After=dev-virtio\\x2dports-${portName}.device
[Service]
ExecStart=/bin/sh /usr/lib/test-shell
Environment=HOME=/root KUBECONFIG=/root/.kube/config
[Install]
WantedBy=multi-user.target
`,
}
const links: Readonly<Record<string, string>> = {
  'etc/systemd/system/multi-user.target.wants/test-shell.service': '/etc/systemd/system/test-shell.service',
  'etc/systemd/system/multi-user.target.wants/systemd-networkd.service': '/lib/systemd/system/systemd-networkd.service',
}

/** Some minutes the first time, at once afterwards. */
export async function debianDisk(suite: Suite): Promise<Disk> {
  const key = createHash('sha256')
    .update(JSON.stringify([mirror, packages, files, links]))
    .digest('hex')
    .slice(0, 12)
  const parent = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sampan', 'boot-test')
  const directory = join(parent, `${suite}-${key}`)
  if (!existsSync(directory)) {
    mkdirSync(parent, { recursive: true })
    const making = mkdtempSync(join(parent, 'making-'))
    try {
      await makeDisk(suite, making)
      renameSync(making, directory)
    } finally {
      rmSync(making, { recursive: true, force: true })
    }
  }
  return { image: join(directory, 'disk'), kernel: join(directory, 'kernel'), initrd: join(directory, 'initrd') }
}

async function makeDisk(suite: Suite, directory: string): Promise<void> {
  const root = join(directory, 'root')
  const timeoutMs = 900_000
  await run('debootstrap', ['--variant=minbase', `--include=${packages.join(',')}`, suite, root, mirror], { timeoutMs })
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  for (const [path, target] of Object.entries(links)) {
    rmSync(join(root, path), { force: true })
    symlinkSync(target, join(root, path))
  }
  const boot = readdirSync(join(root, 'boot'))
  for (const [name, prefix] of [
    ['kernel', 'vmlinuz-'],
    ['initrd', 'initrd.img-'],
  ] as const) {
    const file = boot.find(candidate => candidate.startsWith(prefix))
    if (file === undefined)
      throw new Error(`expected ${prefix}VERSION in /boot of Debian ${suite}, found ${boot.join(' ')}`)
    await run('cp', [join(root, 'boot', file), join(directory, name)])
  }
  rmSync(join(root, 'var/cache/apt'), { recursive: true, force: true })
  await fileSystem(root, join(directory, 'disk'), '6G')
  rmSync(root, { recursive: true })
}

/** A file that holds an ext4 with the contents of a directory. */
export async function fileSystem(contents: string, file: string, size: string): Promise<void> {
  await run('mke2fs', ['-q', '-t', 'ext4', '-d', contents, file, size], { timeoutMs: 300_000 })
}
