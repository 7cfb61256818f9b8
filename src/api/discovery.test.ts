import { describe, expect, test } from 'vitest'
import {
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  compareVersions,
} from './discovery.ts'
import { defineKind, type KindDefinition } from './kind.ts'
import { resource } from './resource.ts'

const kind = (
  group: string,
  version: string,
  plural: string,
  name: string,
  more: Partial<KindDefinition> = {},
): KindDefinition =>
  defineKind({
    resource: resource(group, version, plural, name),
    model: `V1${name}`,
    singular: name.toLowerCase(),
    columns: [],
    row: () => [],
    ...more,
  })

const part = { prepare: () => {} }
const kinds = [
  kind('', 'v1', 'pods', 'Pod', {
    shortNames: ['po'],
    categories: ['all'],
    subresources: { status: part },
    connects: [
      { name: 'exec', kind: 'PodExecOptions', verbs: ['get', 'create'] },
      { name: 'eviction', kind: 'Eviction', verbs: ['create'], group: 'policy', version: 'v1' },
    ],
  }),
  kind('example.com', 'v1', 'boats', 'Boat'),
  kind('autoscaling', 'v1', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  kind('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  kind('apps', 'v1', 'deployments', 'Deployment', {
    subresources: { status: part },
    scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  }),
]

describe('discovery', () => {
  test('versions', () => {
    expect(apiVersions('10.0.0.1:6443')).toEqual({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
    })
    expect(['v1', 'foo', 'v2', 'v1beta1', 'v10', 'v1alpha2', 'v1beta2'].sort(compareVersions)).toEqual([
      'v10',
      'v2',
      'v1',
      'v1beta2',
      'v1beta1',
      'v1alpha2',
      'foo',
    ])
  })

  test("groups stand in Kubernetes' order and prefer their newest version", () => {
    expect((apiGroupList(kinds) as { groups: { name: string }[] }).groups.map(group => group.name)).toEqual([
      'apps',
      'autoscaling',
      'example.com',
    ])
    expect(apiGroup('autoscaling', kinds)).toEqual({
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'autoscaling',
      versions: [
        { groupVersion: 'autoscaling/v2', version: 'v2' },
        { groupVersion: 'autoscaling/v1', version: 'v1' },
      ],
      preferredVersion: { groupVersion: 'autoscaling/v2', version: 'v2' },
    })
  })

  test('resources with their parts', () => {
    expect(apiResourceList('apps', 'v1', kinds)).toEqual({
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: 'apps/v1',
      resources: [
        {
          name: 'deployments',
          singularName: 'deployment',
          namespaced: true,
          kind: 'Deployment',
          verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
        },
        {
          name: 'deployments/scale',
          singularName: '',
          namespaced: true,
          group: 'autoscaling',
          version: 'v1',
          kind: 'Scale',
          verbs: ['get', 'patch', 'update'],
        },
        {
          name: 'deployments/status',
          singularName: '',
          namespaced: true,
          kind: 'Deployment',
          verbs: ['get', 'patch', 'update'],
        },
      ],
    })
    expect(apiResourceList('', 'v1', kinds)).toMatchObject({
      groupVersion: 'v1',
      resources: [
        { name: 'pods', shortNames: ['po'], categories: ['all'] },
        { name: 'pods/eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
        { name: 'pods/exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
        { name: 'pods/status', kind: 'Pod' },
      ],
    })
  })

  test('everything at once', () => {
    expect(aggregatedDiscovery('groups', kinds)).toMatchObject({
      kind: 'APIGroupDiscoveryList',
      apiVersion: 'apidiscovery.k8s.io/v2',
      items: [
        {
          metadata: { name: 'apps' },
          versions: [
            {
              version: 'v1',
              freshness: 'Current',
              resources: [
                {
                  resource: 'deployments',
                  responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
                  scope: 'Namespaced',
                  singularResource: 'deployment',
                  subresources: [
                    {
                      subresource: 'scale',
                      responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                      verbs: ['get', 'patch', 'update'],
                    },
                    { subresource: 'status' },
                  ],
                },
              ],
            },
          ],
        },
        { metadata: { name: 'autoscaling' }, versions: [{ version: 'v2' }, { version: 'v1' }] },
        { metadata: { name: 'example.com' } },
      ],
    })
    expect(aggregatedDiscovery('core', kinds)).toMatchObject({
      items: [{ versions: [{ version: 'v1', resources: [{ resource: 'pods', shortNames: ['po'] }] }] }],
    })
  })
})
