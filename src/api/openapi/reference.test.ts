// The whole OpenAPI v2 document of Kubernetes 1.36, where it lies beside the repository: every path and operation
// of ours must be as it is there, and none may be missing. What is not served, or said otherwise on purpose, is named.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allKinds } from '../kinds/all.ts'
import { openApiV2 } from './open-api-v2.ts'

interface Parameter {
  readonly name: string
  readonly in: string
  readonly description?: string
  readonly $ref?: string
}
interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly consumes?: readonly string[]
  readonly produces?: readonly string[]
  readonly operationId: string
}
type PathItem = Readonly<Record<string, Operation>> & { readonly parameters?: readonly Parameter[] }
interface Document {
  readonly paths: Readonly<Record<string, PathItem>>
  readonly parameters: Readonly<Record<string, Parameter>>
}

const file = [process.env.SAMPAN_REFERENCE ?? '', '../shared/reference', '../../shared/reference']
  .map(folder => resolve(import.meta.dirname, '../../..', folder, 'kubernetes-1.36-swagger.json'))
  .find(path => existsSync(path))
if (file === undefined)
  console.log(
    'skipped: the OpenAPI document of Kubernetes 1.36 is not on this machine; SAMPAN_REFERENCE names its folder',
  )

/** Groups and versions that are off by default upstream, or not served here; files of the machine. */
const notServed =
  /^\/apis\/[^/]+\/v\d+(?:alpha|beta)\d+\/|^\/apis\/(?:internal\.apiserver|storagemigration)\.k8s\.io\/|^\/logs\//
/** Alpha features. */
const unknownParameters = new Set(['shardSelector', 'ignoreStoreReadErrorWithClusterBreakingPotential'])
const isSpoken = (type: string): boolean => !type.includes('cbor')

function normalized(document: Document): Record<string, unknown> {
  const parameters = (given: readonly Parameter[] = []): unknown[] =>
    given
      .map(each => (each.$ref === undefined ? each : document.parameters[each.$ref.split('/').at(-1)!]!))
      .filter(({ name }) => !unknownParameters.has(name))
      // Parameters have no descriptions of their own here.
      .map(parameter => (parameter.name === 'name' ? parameter : { ...parameter, description: undefined }))
      .map(parameter => JSON.parse(JSON.stringify(parameter)) as Parameter)
      .toSorted((a, b) => `${a.name} ${a.in}`.localeCompare(`${b.name} ${b.in}`))
  const operation = ({ consumes, produces, ...rest }: Operation): object => ({
    ...rest,
    parameters: parameters(rest.parameters),
    ...(consumes && { consumes: consumes.filter(isSpoken) }),
    ...(produces && { produces: produces.filter(isSpoken) }),
  })
  return Object.fromEntries(
    Object.entries(document.paths)
      .filter(([path]) => !notServed.test(path))
      .map(([path, { parameters: shared, ...operations }]) => [
        path,
        {
          ...Object.fromEntries(Object.entries(operations).map(([method, each]) => [method, operation(each)])),
          parameters: parameters(shared),
        },
      ]),
  )
}

describe.skipIf(file === undefined)('paths and operations are those of Kubernetes 1.36', () => {
  const reference = file === undefined ? {} : normalized(JSON.parse(readFileSync(file, 'utf8')) as Document)
  const ours = normalized(JSON.parse(JSON.stringify(openApiV2(allKinds))) as Document)

  test('none is missing, none too many', () => {
    expect(Object.keys(ours).toSorted()).toEqual(Object.keys(reference).toSorted())
  })

  test.each(Object.keys(reference))('%s', path => {
    expect(ours[path]).toEqual(reference[path])
  })
})
