// A virtual machine in QEMU that runs commands for the test, over a serial port of its own. It reaches no network.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { portName, type Disk } from './debian-disk.ts'

const program = 'qemu-system-x86_64'
const bootMs = 900_000
const probeMs = 15_000

export interface MachineOptions {
  readonly disk: Disk
  /** Disks after the first, in order. */
  readonly others: readonly string[]
  /** For the console's log and a socket. */
  readonly directory: string
  readonly acceleration: 'kvm' | 'tcg'
}

export interface Result {
  readonly code: number
  readonly output: string
}

/** KVM where it works: /dev/kvm may be there and do nothing, as in machines that are virtual themselves. */
export async function acceleration({ kernel }: Disk): Promise<'kvm' | 'tcg'> {
  if (!existsSync('/dev/kvm')) return 'tcg'
  const child = spawn(
    program,
    [...hardware('kvm'), '-m', '256', '-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const timer = setTimeout(() => child.kill('SIGKILL'), probeMs)
  const speaks = new Promise<boolean>(resolve => {
    child.stdout.on('data', (text: Buffer) => text.includes('Linux version') && resolve(true))
    child.once('close', () => resolve(false))
    child.once('error', () => resolve(false))
  })
  const works = await speaks
  clearTimeout(timer)
  child.kill('SIGKILL')
  return works ? 'kvm' : 'tcg'
}

/** Options, each with its value if it has one. */
const words = (...options: readonly (readonly string[])[]): string[] => options.flat()

const hardware = (kind: 'kvm' | 'tcg'): string[] =>
  words(
    ['-nodefaults'],
    ['-no-reboot'],
    ['-display', 'none'],
    ['-machine', 'q35'],
    ['-accel', kind === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
    ['-cpu', kind === 'kvm' ? 'host' : 'max'],
  )

export class VirtualMachine {
  private readonly child: ChildProcess
  private readonly console: string
  private readonly port: string
  private socket: Socket | undefined
  private lines: AsyncIterator<string> | undefined

  /** It boots at once. */
  constructor(options: MachineOptions) {
    const { disk, directory } = options
    this.console = join(directory, 'console')
    this.port = join(directory, 'port')
    this.child = spawn(
      program,
      words(
        hardware(options.acceleration),
        ['-smp', '2'],
        ['-m', '2048'],
        ['-kernel', disk.kernel],
        ['-initrd', disk.initrd],
        ['-append', 'root=/dev/vda rw console=ttyS0 systemd.show_status=true'],
        ['-serial', `file:${this.console}`],
        [disk.image, ...options.others].flatMap(file => ['-drive', `file=${file},format=raw,if=virtio`]),
        ['-netdev', 'user,id=net,restrict=on'],
        ['-device', 'virtio-net-pci,netdev=net'],
        ['-device', 'virtio-rng-pci'],
        ['-device', 'virtio-serial'],
        ['-chardev', `socket,id=port,path=${this.port},server=on,wait=off`],
        ['-device', `virtserialport,chardev=port,name=${portName}`],
      ),
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
  }

  /** Resolves when it takes commands. */
  async ready(): Promise<void> {
    this.socket = await this.connect(this.port)
    this.lines = createInterface({ input: this.socket })[Symbol.asyncIterator]()
    await this.line(bootMs)
  }

  /** As root, with `sh`. Resolves with its exit code and all it printed. */
  async run(command: string, timeoutMs = 900_000): Promise<Result> {
    this.send(command)
    const [code = '', output = ''] = (await this.line(timeoutMs)).split(' ')
    return { code: Number(code), output: Buffer.from(output, 'base64').toString() }
  }

  /** Powers it off as its administrator does; resolves with the seconds until it is off. */
  async powerOff(timeoutMs: number): Promise<number> {
    const startMs = performance.now()
    this.send('systemctl poweroff --no-block')
    const off = new Promise(resolve => {
      this.child.once('close', resolve)
    })
    if (this.child.exitCode === null) await within(off, timeoutMs, () => this.failure('did not power off'))
    return (performance.now() - startMs) / 1000
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  private send(command: string): void {
    this.socket!.write(`${Buffer.from(command).toString('base64')}\n`)
  }

  private async line(timeoutMs: number): Promise<string> {
    const next = await within(this.lines!.next(), timeoutMs, () => this.failure('did not answer'))
    if (next.done === true) throw this.failure('ended')
    return next.value
  }

  private failure(what: string): Error {
    const end = readFileSync(this.console, 'utf8').trimEnd().split('\n').slice(-25).join('\n')
    return new Error(`the virtual machine ${what}; the end of its console:\n${end}`)
  }

  private async connect(path: string): Promise<Socket> {
    while (!existsSync(path)) {
      if (this.child.exitCode !== null) throw new Error(`${program} ended with exit code ${this.child.exitCode}`)
      await sleep(20)
    }
    const socket = connect(path)
    socket.on('error', () => {})
    return socket
  }
}

async function within<T>(result: Promise<T>, timeoutMs: number, failure: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(failure()), timeoutMs)
  })
  try {
    return await Promise.race([result, late])
  } finally {
    clearTimeout(timer)
  }
}
