// The plug-ins in the order in which Kubernetes runs them.
import type { AdmissionPlugin } from '../server-context.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { defaultTolerationSeconds, priority } from './pod-defaults.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { serviceAccountAdmission } from './service-account.ts'
import { taintNodesByCondition } from './taint-nodes.ts'

export const admissionPlugins: readonly AdmissionPlugin[] = [
  namespaceLifecycle, serviceAccountAdmission, taintNodesByCondition, priority, defaultTolerationSeconds,
  rbacEscalation,
]
