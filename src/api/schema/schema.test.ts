import { expect, test } from 'vitest'
import { hasModel, modelNames, modelOf } from './schema.ts'

test('every model can be read and names only models that exist', () => {
  const referenced = modelNames().flatMap(name =>
    [...modelOf(name).fields.values()].filter(field => field.type === 'object').map(field => field.model),
  )
  expect(referenced.filter(name => !hasModel(name))).toEqual([])
})

test('a container knows its merge keys, list types and wire numbers', () => {
  const container = modelOf('V1Container')
  expect(container.definition).toBe('io.k8s.api.core.v1.Container')
  expect(container.fields.get('ports')).toMatchObject({
    type: 'object',
    model: 'V1ContainerPort',
    shape: 'list',
    listType: 'map',
    listMapKeys: ['containerPort', 'protocol'],
    patchMerge: true,
    patchMergeKey: 'containerPort',
    wire: [6],
  })
  expect(container.fields.get('name')).toMatchObject({ required: true, pointer: false })
  expect(container.fields.get('restartPolicy')).toMatchObject({ required: false, pointer: true })
})

test('special types are told apart', () => {
  expect(modelOf('V1ResourceRequirements').fields.get('limits')).toMatchObject({ type: 'quantity', shape: 'map' })
  expect(modelOf('V1ServicePort').fields.get('targetPort')).toMatchObject({ type: 'intOrString' })
  expect(modelOf('V1Secret').fields.get('data')).toMatchObject({ type: 'bytes', shape: 'map' })
  expect(modelOf('V1LeaseSpec').fields.get('renewTime')).toMatchObject({ type: 'microTime' })
  expect(modelOf('V1LabelSelector').atomic).toBe(true)
  expect(modelOf('V1Deployment').topLevel).toEqual({ group: 'apps', version: 'v1' })
  expect(modelOf('V1PodSpec').fields.get('nodeSelector')).toMatchObject({ atomicMap: true })
  expect(modelOf('V1PersistentVolumeSpec').fields.get('claimRef')).toMatchObject({ granular: true })
  expect(modelOf('V1PodDisruptionBudgetSpec').fields.get('selector')).toMatchObject({
    patchReplace: true,
    patchMerge: false,
  })
  expect(modelOf('V1Volume').fields.get('emptyDir')).toMatchObject({ wire: [2, 2] })
})
