// Passes a DNS question on as it came and brings back the first answer; resolvers are asked one after
// the other.
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'

const timeoutMs = 2000

/** undefined: nobody answered. Over TCP the answer carries its length, as it goes to the client. */
export async function forward(
  upstream: readonly string[],
  message: Buffer,
  transport: 'udp' | 'tcp',
): Promise<Buffer | undefined> {
  for (const server of upstream) {
    const [address = '', port = '53'] = server.split(':')
    const answer = await (transport === 'udp' ? overUdp : overTcp)(address, Number(port), message)
    if (answer !== undefined) return answer
  }
  return undefined
}

function overUdp(address: string, port: number, message: Buffer): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const socket = createSocket('udp4')
    let finished = false
    const finish = (answer?: Buffer): void => {
      if (finished) return
      finished = true
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(finish, timeoutMs)
    socket.on('error', () => finish())
    // An answer carries the number of its question; anything else is not for us.
    socket.on('message', answer => {
      if (answer.subarray(0, 2).equals(message.subarray(0, 2))) finish(answer)
    })
    socket.send(message, port, address, error => {
      if (error !== null) finish()
    })
  })
}

function overTcp(address: string, port: number, message: Buffer): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    const socket = connect(port, address, () => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(message.length)
      socket.write(Buffer.concat([length, message]))
    })
    const finish = (answer?: Buffer): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => finish())
    socket.once('error', () => finish())
    socket.once('close', () => finish())
    socket.on('data', chunk => {
      chunks.push(chunk)
      const all = Buffer.concat(chunks)
      if (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0)) finish(all)
    })
  })
}
