// What is owed of a way: it leads to a port of an instance until it is closed.
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { DeployError } from '../../deploy-error.ts'
import { failureOf, watch, type Suite } from './suite.ts'

export function testWays(suite: Suite): void {
  const { describeOf, newPlace } = suite
  const { workload } = suite.parts

  describeOf('ways')('a way', () => {
    const answerOf = (host: string, portNumber: number): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(portNumber, host, () => socket.write('GET / HTTP/1.0\r\n\r\n'))
        socket.on('error', reject)
        text(socket).then(resolve, reject)
      })

    test('leads to a port of an instance, again and again, until it is closed', async () => {
      const place = newPlace()
      await suite.engine.rollOut(place, workload(place), watch())
      const way = await suite.engine.reach(place, { workload: place.service, port: 8080 })
      for (let attempt = 0; attempt < 3; attempt++) expect(await answerOf(way.host, way.port)).toMatch(/^HTTP\/1/)
      way.close()
      await expect(answerOf(way.host, way.port)).rejects.toThrow('ECONNREFUSED')
    })

    test('to nobody is none', async () => {
      expect(await failureOf(suite.engine.reach(newPlace(), { workload: 'nobody', port: 8080 }))).toBeInstanceOf(
        DeployError,
      )
    })
  })
}
