// From which ranges services get their addresses. Shared by the API server, which gives them out, and the
// control loop that protects a range as long as it is needed. Pure.
import type { IPAddress, ServiceCIDR } from './generated/models.ts'

/** The range that a cluster begins with. */
export const defaultServiceCidrName = 'kubernetes'
export const serviceCidrFinalizer = 'networking.k8s.io/service-cidr-finalizer'

const familyLabel = 'ipaddress.kubernetes.io/ip-family'
const managedByLabel = 'ipaddress.kubernetes.io/managed-by'
const allocatorName = 'ipallocator.k8s.io'

export const addressLabels = (): Record<string, string> => ({ [familyLabel]: 'IPv4', [managedByLabel]: allocatorName })

/** Others may make IPAddress objects for themselves, which are left alone. */
export const isServiceAddress = ({ metadata }: IPAddress): boolean =>
  metadata.labels?.[managedByLabel] === allocatorName

export const ipv4RangesOf = ({ spec }: ServiceCIDR): string[] => (spec?.cidrs ?? []).filter(cidr => !cidr.includes(':'))

/** Nobody having said anything about it means ready, so that services can be made before any control loop runs. */
export function isReadyRange({ metadata, status }: ServiceCIDR): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return metadata.deletionTimestamp === undefined && (ready === undefined || ready.status === 'True')
}

type Condition = NonNullable<ServiceCIDR['status']['conditions']>[number]

export const readyCondition = (
  status: 'True' | 'False',
  reason: string,
  message: string,
  lastTransitionTime: string,
): Condition => ({ type: 'Ready', status, reason, message, lastTransitionTime })
