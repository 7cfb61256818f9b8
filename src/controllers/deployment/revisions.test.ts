import { expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '../../api/generated/models.ts'
import { currentAnnotations, nextRevision, revisionAnnotation } from './revisions.ts'

const withRevision = (revision: string): ReplicaSet =>
  ({ metadata: { name: 's', annotations: { [revisionAnnotation]: revision } } }) as unknown as ReplicaSet
const deployment = { metadata: { name: 'd' } } as unknown as Deployment

test('revisions are whole numbers of 64 bits', () => {
  const next = nextRevision([withRevision('3546343826724305832'), withRevision('7'), withRevision('no number')])
  expect(next).toBe(3546343826724305833n)
  expect(nextRevision([])).toBe(1n)
  expect(currentAnnotations(deployment, withRevision('3546343826724305831'), next)).toEqual({
    [revisionAnnotation]: '3546343826724305833',
    'deployment.kubernetes.io/revision-history': '3546343826724305831',
  })
  expect(currentAnnotations(deployment, withRevision('3546343826724305833'), next)).toEqual({
    [revisionAnnotation]: '3546343826724305833',
  })
})
