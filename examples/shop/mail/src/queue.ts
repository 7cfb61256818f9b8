// The queue of mails that are still to be sent.
import { Connection } from 'rabbitmq-client'

export const queueName = 'mails'

export function connect(): Connection {
  const connection = new Connection(process.env['AMQP_URL'])
  connection.on('error', (error: Error) => console.error(`queue: ${error.message}`))
  return connection
}
