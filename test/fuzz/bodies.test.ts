// Bodies of every kind, whatever is in them: created, replaced, shown as a row, written as protobuf. Nothing
// but answers that a client can understand.
import { afterAll, beforeAll, test } from 'vitest'
import { allKinds } from '../../src/api/kinds/all.ts'
import { encodeProtobuf } from '../../src/api/protobuf/envelope.ts'
import { serviceAccounts } from '../../src/api/resources.ts'
import { decodeBody } from '../../src/server/http/body.ts'
import { table } from '../../src/server/http/transformations.ts'
import { create } from '../../src/server/operations/create.ts'
import { remove } from '../../src/server/operations/delete.ts'
import { update } from '../../src/server/operations/update.ts'
import type { Caller } from '../../src/server/request.ts'
import type { CachedObject } from '../../src/server/storage/cached-object.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { fuzz, isAnswered, type Chance } from './cases.ts'
import { encoded, mutate, objectOfKind } from './generate.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
})
afterAll(() => server.close())

const kinds = allKinds.filter(
  kind => kind.stored !== false && (kind.verbs === undefined || kind.verbs.includes('create')),
)
const caller = (chance: Chance, dryRun: boolean): Caller => ({
  user: { username: 'fuzz', groups: ['system:masters'] },
  fieldManager: 'fuzz',
  fieldValidation: chance.pick(['Strict', 'Warn', 'Ignore']),
  dryRun,
  warnings: [],
})

test(
  'any body',
  () =>
    fuzz('bodies', 0.5, async chance => {
      const kind = chance.pick(kinds)
      let object: unknown = objectOfKind(kind, chance)
      for (let count = chance.number(4); count > 0; count--) object = mutate(object, chance)
      const { bytes, mediaType } = encoded(kind, object, chance)
      const who = caller(chance, !chance.isOneIn(5))
      const { context } = server.server
      await isAnswered(async () => {
        const { value, problems } = decodeBody(bytes, mediaType, kind.model, who.fieldValidation, kind.resource.kind)
        const namespace = kind.resource.scope === 'Namespaced' ? 'default' : undefined
        const made = await create(context, { kind, namespace }, value, who, { problems })
        show(made)
        const target = { kind, namespace, name: made.object.metadata.name }
        if (who.dryRun) return
        try {
          const changed = mutate(structuredClone(made.object), chance)
          await isAnswered(async () =>
            show(await update(context, target, { change: () => changed, problems: [] }, who)),
          )
        } finally {
          await isAnswered(() =>
            update(
              context,
              target,
              {
                change: () => ({
                  ...made.object,
                  metadata: { ...made.object.metadata, finalizers: undefined, resourceVersion: undefined },
                }),
                problems: [],
              },
              who,
            ),
          )
          await isAnswered(() => remove(context, target, { gracePeriodSeconds: 0 }, who))
        }
      })

      function show(made: CachedObject): void {
        JSON.stringify(table(kind, [made], { resourceVersion: '1' }, 0, 'Object'))
        encodeProtobuf(kind.model, made.object)
      }
    }),
  280_000,
)
