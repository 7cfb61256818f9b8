// A scheduled task: puts a digest into the queue.
import { connect, queueName } from './queue.ts'

const connection = connect()
const publisher = connection.createPublisher({ confirm: true, queues: [{ queue: queueName, durable: true }] })
await publisher.send(queueName, { text: `digest of ${new Date().toISOString()}` })
await publisher.close()
await connection.close()
console.log('the digest is in the queue')
