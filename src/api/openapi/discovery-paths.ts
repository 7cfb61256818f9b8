// What leads to the kinds, as paths of OpenAPI: versions, groups, resources, and what a server says of itself.
// Source: apiserver pkg/endpoints/discovery, pkg/server/routes.
import type { KindDefinition } from '../kind.ts'
import { groupName, objectTypes } from './operations.ts'

export interface DiscoveryPath {
  readonly path: string
  readonly id: string
  readonly description: string
  readonly tag: string
  /** Of the answer; text without one. */
  readonly model?: string
  readonly types: readonly string[]
  readonly takesBody: boolean
}

const lower = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`

export function resourcesPath(group: string, version: string): DiscoveryPath {
  const name = groupName(group)
  return {
    path: `${group === '' ? '/api' : `/apis/${group}`}/${version}/`,
    id: `get${name}${version.charAt(0).toUpperCase()}${version.slice(1)}APIResources`,
    description: 'get available resources',
    tag: `${lower(name)}_${version}`,
    model: 'V1APIResourceList',
    types: objectTypes,
    takesBody: true,
  }
}

export function discoveryPaths(kinds: readonly KindDefinition[]): DiscoveryPath[] {
  const versions = new Map(
    kinds
      .filter(kind => kind.openApiSchema === undefined)
      .map(({ resource: { group, version } }) => [`${group}/${version}`, { group, version }]),
  )
  const groups = new Set([...versions.values()].map(({ group }) => group).filter(group => group !== ''))
  const shared = { types: objectTypes, takesBody: true }
  return [
    {
      path: '/api/',
      id: 'getCoreAPIVersions',
      description: 'get available API versions',
      tag: 'core',
      model: 'V1APIVersions',
      ...shared,
    },
    {
      path: '/apis/',
      id: 'getAPIVersions',
      description: 'get available API versions',
      tag: 'apis',
      model: 'V1APIGroupList',
      ...shared,
    },
    ...[...groups].map((group): DiscoveryPath => ({
      path: `/apis/${group}/`,
      id: `get${groupName(group)}APIGroup`,
      description: 'get information of a group',
      tag: lower(groupName(group)),
      model: 'V1APIGroup',
      ...shared,
    })),
    ...[...versions.values()].map(({ group, version }) => resourcesPath(group, version)),
    {
      path: '/version/',
      id: 'getCodeVersion',
      description: 'get the version information for this server',
      tag: 'version',
      model: 'VersionInfo',
      types: ['application/json'],
      takesBody: true,
    },
    {
      path: '/.well-known/openid-configuration/',
      id: 'getServiceAccountIssuerOpenIDConfiguration',
      description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
      tag: 'WellKnown',
      types: ['application/json'],
      takesBody: false,
    },
    {
      path: '/openid/v1/jwks/',
      id: 'getServiceAccountIssuerOpenIDKeyset',
      description: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
      tag: 'openid',
      types: ['application/jwk-set+json'],
      takesBody: false,
    },
  ]
}
