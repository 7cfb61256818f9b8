// PodTopologyLabels: a pod gets the zone and the region of the node it is bound to as labels of its own.
// Source: plugin/pkg/admission/podtopologylabels.
import type { Binding, Pod } from '../../api/generated/models.ts'
import { nodes } from '../../api/resources.ts'
import type { AdmissionPlugin } from '../server-context.ts'

const copied = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  mutate({ operation, target, object }, { storage }) {
    const { group, plural } = target.kind.resource
    if (operation !== 'CREATE' || group !== '' || plural !== 'pods' || object === undefined) return
    const node =
      target.subresource === undefined
        ? (object as Pod).spec.nodeName
        : target.subresource === 'binding'
          ? nodeOf(object as Binding)
          : undefined
    const labels = node ? storage.get(nodes, node)?.object.metadata.labels : undefined
    const found = Object.fromEntries(copied.flatMap(key => (labels?.[key] === undefined ? [] : [[key, labels[key]]])))
    if (Object.keys(found).length > 0)
      object.metadata = { ...object.metadata, labels: { ...found, ...object.metadata?.labels } }
  },
}

const nodeOf = ({ target }: Partial<Binding>): string | undefined => (target?.kind === 'Node' ? target.name : undefined)
