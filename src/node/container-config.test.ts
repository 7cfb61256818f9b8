import { expect, test } from 'vitest'
import type { AppArmorProfile, Container, Pod } from '../api/generated/models.ts'
import { containerConfigMessage } from '../cri/grpc-requests.ts'
import { containerConfig } from './container-config.ts'

const annotation = 'container.apparmor.security.beta.kubernetes.io/main'

function securityOf(own: AppArmorProfile | undefined, pods: AppArmorProfile | undefined, annotated?: string): object {
  const container: Container = { name: 'main', ...(own && { securityContext: { appArmorProfile: own } }) }
  const pod = {
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'u1',
      ...(annotated !== undefined && { annotations: { [annotation]: annotated } }),
    },
    spec: { containers: [container], ...(pods && { securityContext: { appArmorProfile: pods } }) },
  } as unknown as Pod
  const config = containerConfig(pod, container, {
    attempt: 0,
    image: { id: 'sha256:1', tags: [], digests: [], sizeBytes: 1 },
    environment: [],
    volumeMounts: [],
    resources: {},
    hostsFile: '',
    terminationMessageFile: '',
  })
  return (containerConfigMessage(config) as { linux: { securityContext: object } }).linux.securityContext
}

const runtimeDefault = { apparmor: { profileType: 0, localhostRef: '' }, apparmorProfile: 'runtime/default' }
const unconfined = { apparmor: { profileType: 1, localhostRef: '' }, apparmorProfile: 'unconfined' }
const localhost = { apparmor: { profileType: 2, localhostRef: 'web' }, apparmorProfile: 'localhost/web' }

test.each<[string, object, object]>([
  ['the pod’s', securityOf(undefined, { type: 'RuntimeDefault' }), runtimeDefault],
  ['its own before the pod’s', securityOf({ type: 'Unconfined' }, { type: 'RuntimeDefault' }), unconfined],
  ['one by name', securityOf({ type: 'Localhost', localhostProfile: 'web' }, undefined), localhost],
  ['that of an annotation', securityOf(undefined, undefined, 'localhost/web'), localhost],
])('the runtime is told the AppArmor profile: %s', (_what, security, expected) => {
  expect(security).toMatchObject(expected)
})

test('a container without a profile gets the runtime’s own default', () => {
  expect(Object.keys(securityOf(undefined, undefined)).filter(key => key.startsWith('apparmor'))).toEqual([])
})
