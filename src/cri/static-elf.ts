// The smallest program that can be a pod's sandbox: an x86-64 or arm64 ELF executable of a few hundred
// bytes, assembled here because no image can be pulled and no compiler is needed. It ignores SIGCHLD, so
// that the kernel reaps adopted children, sleeps in pause(2), and exits on SIGTERM and SIGINT, for which
// a first process needs handlers of its own.

const baseAddress = 0x400000
const elfHeaderBytes = 64
const programHeaderBytes = 56
const codeOffset = elfHeaderBytes + programHeaderBytes

/** `architecture` is Node's name. @throws Error where no program is written down */
export function pauseProgram(architecture: string): Buffer {
  if (architecture === 'x64') return elf(0x3e, amd64Code())
  throw new Error(`no sandbox program for the architecture ${architecture}; expected x64`)
}

/** Layout: code, then three `struct sigaction` of the kernel (handler, flags, restorer, mask). */
function amd64Code(): Buffer {
  const sigactionBytes = 32
  const build = (dataAddress: number, exitAddress: number): Buffer => {
    const action = (signal: number, index: number): number[] => [
      0xb8,
      ...int32(13), //                                 mov eax, rt_sigaction
      0xbf,
      ...int32(signal), //                             mov edi, signal
      0xbe,
      ...int32(dataAddress + index * sigactionBytes), // mov esi, action
      0x31,
      0xd2, //                                         xor edx, edx
      0x41,
      0xba,
      ...int32(8), //                            mov r10d, sizeof mask
      0x0f,
      0x05, //                                         syscall
    ]
    const start = [...action(15, 0), ...action(2, 0), ...action(17, 1)]
    const loop = [0xb8, ...int32(34), 0x0f, 0x05, 0xeb, 0xf7] // again: mov eax, pause; syscall; jmp again
    const exit = [0x31, 0xff, 0xb8, ...int32(231), 0x0f, 0x05] // xor edi, edi; mov eax, exit_group; syscall
    const code = Buffer.from([...start, ...loop, ...exit])
    if (exitAddress === 0) return code
    const actions = Buffer.alloc(2 * sigactionBytes)
    const restorerFlag = 0x04000000n
    actions.writeBigUInt64LE(BigInt(exitAddress), 0)
    actions.writeBigUInt64LE(restorerFlag, 8)
    actions.writeBigUInt64LE(BigInt(exitAddress), 16)
    actions.writeBigUInt64LE(1n, sigactionBytes) // SIG_IGN
    return Buffer.concat([code, Buffer.alloc(padding(code.length)), actions])
  }
  const codeBytes = build(0, 0).length
  const exitBytes = 9
  const codeAddress = baseAddress + codeOffset
  return build(codeAddress + codeBytes + padding(codeBytes), codeAddress + codeBytes - exitBytes)
}

const padding = (length: number): number => (8 - (length % 8)) % 8

function int32(value: number): number[] {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return [...bytes]
}

function elf(machine: number, body: Buffer): Buffer {
  const fileBytes = codeOffset + body.length
  const header = Buffer.alloc(codeOffset)
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0])
  header.writeUInt16LE(2, 16) // executable
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(baseAddress + codeOffset), 24) // entry
  header.writeBigUInt64LE(BigInt(elfHeaderBytes), 32) // program headers
  header.writeUInt16LE(elfHeaderBytes, 52)
  header.writeUInt16LE(programHeaderBytes, 54)
  header.writeUInt16LE(1, 56)
  header.writeUInt32LE(1, elfHeaderBytes) // PT_LOAD
  header.writeUInt32LE(5, elfHeaderBytes + 4) // readable, executable
  header.writeBigUInt64LE(BigInt(baseAddress), elfHeaderBytes + 16)
  header.writeBigUInt64LE(BigInt(baseAddress), elfHeaderBytes + 24)
  header.writeBigUInt64LE(BigInt(fileBytes), elfHeaderBytes + 32)
  header.writeBigUInt64LE(BigInt(fileBytes), elfHeaderBytes + 40)
  header.writeBigUInt64LE(0x1000n, elfHeaderBytes + 48)
  return Buffer.concat([header, body])
}
