// As much of a MongoDB server as Sampan asks of one, in memory: Debian has none. It speaks MongoDB's own protocol with
// logins that are checked (SCRAM-SHA-256), so that the field's client cannot tell.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { BSON, type Document } from 'mongodb'
import type { ServiceServer } from './service-servers.ts'

interface User {
  readonly user: string
  readonly db: string
  password: string
  readonly customData?: Document
}

type Collections = Map<string, Document[]>

export interface MongoState {
  readonly users: Map<string, User>
  readonly databases: Map<string, Collections>
}

class Refusal extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export async function startMongoDouble(): Promise<ServiceServer & MongoState> {
  const administrator = { user: 'root', password: `ad'm"in \\ pass%` }
  const state: MongoState = {
    users: new Map([['admin root', { ...administrator, db: 'admin' }]]),
    databases: new Map(),
  }
  const sockets = new Set<Socket>()
  const listener = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    serve(socket, state)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    ...state,
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    administrator,
    async close() {
      for (const socket of sockets) socket.destroy()
      listener.close()
    },
  }
}

function serve(socket: Socket, state: MongoState): void {
  const login = new Login(state)
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
      const length = received.readInt32LE(0)
      const { id, code, command } = readMessage(received.subarray(0, length))
      received = received.subarray(length)
      socket.write(message(id, code, answerTo(state, login, command)))
    }
  })
}

const headerSize = 16
const query = 2004
const reply = 1
const modern = 2013

function readMessage(bytes: Buffer): { id: number; code: number; command: Document } {
  const id = bytes.readInt32LE(4)
  const code = bytes.readInt32LE(12)
  if (code === query) {
    const nameEnd = bytes.indexOf(0, headerSize + 4)
    return { id, code, command: BSON.deserialize(bytes.subarray(nameEnd + 9)) }
  }
  const command: Document = {}
  for (let at = headerSize + 4; at < bytes.length;) {
    const size = bytes.readInt32LE(at + 1)
    if (bytes[at] === 0) Object.assign(command, BSON.deserialize(bytes.subarray(at + 1, at + 1 + size)))
    else {
      const nameEnd = bytes.indexOf(0, at + 5)
      const list: Document[] = []
      for (let next = nameEnd + 1; next < at + 1 + size; next += bytes.readInt32LE(next))
        list.push(BSON.deserialize(bytes.subarray(next, next + bytes.readInt32LE(next)), { promoteValues: false }))
      command[bytes.toString('utf8', at + 5, nameEnd)] = list
    }
    at += 1 + size
  }
  return { id, code, command }
}

function message(to: number, asked: number, answer: Document): Buffer {
  const content = BSON.serialize(answer)
  const before = asked === query ? Buffer.alloc(20) : Buffer.alloc(5)
  if (asked === query) before.writeInt32LE(1, 16)
  const header = Buffer.alloc(headerSize)
  header.writeInt32LE(headerSize + before.length + content.length, 0)
  header.writeInt32LE(to, 8)
  header.writeInt32LE(asked === query ? reply : modern, 12)
  return Buffer.concat([header, before, content])
}

function answerTo(state: MongoState, login: Login, command: Document): Document {
  try {
    return { ...execute(state, login, command), ok: 1 }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { ok: 0, errmsg: error.message, code: error.code, codeName: String(error.code) }
  }
}

function execute(state: MongoState, login: Login, command: Document): Document {
  const name = Object.keys(command)[0]!
  const db = String(command['$db'] ?? 'admin')
  switch (name) {
    case 'hello':
    case 'ismaster':
    case 'isMaster':
      return {
        ismaster: true,
        isWritablePrimary: true,
        helloOk: true,
        minWireVersion: 0,
        maxWireVersion: 21,
        maxBsonObjectSize: 16_777_216,
        maxMessageSizeBytes: 48_000_000,
        maxWriteBatchSize: 100_000,
        ...(command['saslSupportedMechs'] && { saslSupportedMechs: ['SCRAM-SHA-256'] }),
      }
    case 'saslStart':
      return login.start(db, String(payloadOf(command)))
    case 'saslContinue':
      return login.finish(String(payloadOf(command)))
    case 'ping':
    case 'endSessions':
      return {}
  }
  if (login.user === undefined || (login.user.db !== 'admin' && login.user.db !== db))
    throw new Refusal(13, `not authorized on ${db} to execute command ${name}`)
  if (name === 'buildInfo') return { version: '8.0.4' }
  return userCommand(state, db, name, command) ?? dataCommand(state, db, name, command)
}

const payloadOf = (command: Document): Buffer => Buffer.from((command['payload'] as BSON.Binary).buffer)

function userCommand({ users }: MongoState, db: string, name: string, command: Document): Document | undefined {
  const user = String(command[name])
  const key = `${db} ${user}`
  const found = users.get(key)
  switch (name) {
    case 'usersInfo':
      return { users: found === undefined ? [] : [{ user, db, customData: found.customData }] }
    case 'createUser':
      if (found !== undefined) throw new Refusal(51_003, `User "${user}@${db}" already exists`)
      users.set(key, { user, db, password: String(command['pwd']), customData: command['customData'] as Document })
      return {}
    case 'updateUser':
      if (found === undefined) throw new Refusal(11, 'User not found')
      found.password = String(command['pwd'])
      return {}
    case 'dropUser':
      if (!users.delete(key)) throw new Refusal(11, 'User not found')
      return {}
    default:
      return undefined
  }
}

function dataCommand({ databases }: MongoState, db: string, name: string, command: Document): Document {
  if (name === 'dropDatabase') {
    databases.delete(db)
    return {}
  }
  if (name === 'renameCollection') {
    const [from = '', to = ''] = [command[name], command['to']].map(full => String(full).replace(/^[^.]*\./, ''))
    const within = databases.get(String(command[name]).split('.')[0]!)!
    if (within.has(to) && command['dropTarget'] !== true) throw new Refusal(48, 'target namespace exists')
    within.set(to, within.get(from)!)
    within.delete(from)
    return {}
  }
  const collections = databases.get(db) ?? new Map<string, Document[]>()
  const target = String(command[name])
  const documents = collections.get(target) ?? []
  const keep = (): void => void databases.set(db, collections.set(target, documents))
  const cursor = (of: string, firstBatch: Document[]): Document => ({
    cursor: { id: BSON.Long.ZERO, ns: `${db}.${of}`, firstBatch },
  })
  switch (name) {
    case 'listCollections':
      return cursor(
        '$cmd.listCollections',
        collections
          .keys()
          .map(key => ({ name: key, type: 'collection', options: {} }))
          .toArray(),
      )
    case 'listIndexes':
      return cursor(target, [{ v: 2, key: { _id: 1 }, name: '_id_' }])
    case 'drop':
      collections.delete(target)
      return {}
    case 'create':
      keep()
      return {}
    case 'insert':
      documents.push(...(command['documents'] as Document[]))
      keep()
      return { n: (command['documents'] as Document[]).length }
    case 'update': {
      const [{ q, u }] = command['updates'] as [{ q: Document; u: Document }]
      const at = documents.findIndex(({ _id }) => String(_id) === String(q['_id']))
      documents.splice(at < 0 ? documents.length : at, 1, { ...q, ...u })
      keep()
      return { n: 1, nModified: at < 0 ? 0 : 1 }
    }
    case 'find': {
      const { _id } = (command['filter'] ?? {}) as Document
      return cursor(
        target,
        _id === undefined ? documents : documents.filter(found => String(found['_id']) === String(_id)),
      )
    }
    default:
      throw new Refusal(59, `no such command: ${name}`)
  }
}

/** The server's side of RFC 5802 with SHA-256. */
class Login {
  user: User | undefined
  private readonly state: MongoState
  private claimed: User | undefined
  private firstMessages = ''
  private readonly salt = randomBytes(16)
  private readonly iterations = 4096

  constructor(state: MongoState) {
    this.state = state
  }

  start(db: string, payload: string): Document {
    const bare = payload.replace(/^n,,/, '')
    const [, name = '', nonce = ''] = /^n=([^,]*),r=(.*)$/.exec(bare) ?? []
    this.claimed = this.state.users.get(`${db} ${name.replaceAll('=2C', ',').replaceAll('=3D', '=')}`)
    const first = `r=${nonce}${randomBytes(12).toString('base64')},s=${this.salt.toString('base64')},i=${this.iterations}`
    this.firstMessages = `${bare},${first}`
    return { conversationId: 1, done: false, payload: new BSON.Binary(Buffer.from(first)) }
  }

  finish(payload: string): Document {
    const [, withoutProof = '', proof = ''] = /^(.*),p=(.*)$/.exec(payload) ?? []
    const spoken = `${this.firstMessages},${withoutProof}`
    const salted = pbkdf2Sync(this.claimed?.password ?? '', this.salt, this.iterations, 32, 'sha256')
    const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(clientKey).digest(), spoken)
    const expected = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!))
    if (this.claimed === undefined || expected.toString('base64') !== proof)
      throw new Refusal(18, 'Authentication failed.')
    this.user = this.claimed
    const answer = `v=${hmac(hmac(salted, 'Server Key'), spoken).toString('base64')}`
    return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.from(answer)) }
  }
}
