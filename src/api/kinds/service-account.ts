// ServiceAccount: who a pod is towards the API.
import { defineKind } from '../kind.ts'
import { serviceAccounts } from '../resources.ts'
import { age, columns } from './cells.ts'

export const serviceAccountKind = defineKind({
  resource: serviceAccounts,
  model: 'V1ServiceAccount',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  connects: [{ name: 'token', kind: 'TokenRequest', verbs: ['create'], group: 'authentication.k8s.io', version: 'v1' }],
  columns: columns('Name', 'Secrets', 'Age'),
  row: (account, nowMs) => [account.metadata.name, account.secrets?.length ?? 0, age(account, nowMs)],
})
