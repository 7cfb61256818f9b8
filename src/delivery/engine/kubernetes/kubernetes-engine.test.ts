// The contract of engines, held by a real API server with all control loops and nodes that only pretend.
import { pretendedKubernetes } from '../../../testing/kubernetes-worlds.ts'
import { testEngine } from '../contract.ts'

testEngine('Kubernetes in process', pretendedKubernetes)
