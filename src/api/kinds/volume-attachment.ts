// VolumeAttachment: the wish to have a volume on a node, and whether it is there.
import { joinErrors, required } from '../field-error.ts'
import { defineKind } from '../kind.ts'
import { volumeAttachments } from '../resources.ts'
import { checkSubdomain } from '../validation/formats.ts'
import { requireText, validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { clientMetadata, keepStatus, statusOnly } from './strategy.ts'

export const volumeAttachmentKind = defineKind({
  resource: volumeAttachments,
  model: 'V1VolumeAttachment',
  singular: 'volumeattachment',
  defaults(draft) {
    draft.status ??= { attached: false }
    draft.status.attached ??= false
  },
  prepareForCreate(draft) {
    draft.status = { attached: false }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(undefined, clientMetadata),
  validate: ({ spec }) =>
    joinErrors(
      requireText(spec?.attacher, 'spec.attacher', checkSubdomain),
      requireText(spec?.nodeName, 'spec.nodeName'),
      spec?.source?.persistentVolumeName || spec?.source?.inlineVolumeSpec
        ? []
        : [required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')],
    ),
  validateUpdate: (attachment, old) => validateImmutable(attachment.spec, old.spec, 'spec'),
  columns: columns('Name', 'Attacher', 'PV', 'Node', 'Attached:boolean', 'Age'),
  row: (attachment, nowMs) => [
    attachment.metadata.name,
    attachment.spec?.attacher ?? '',
    attachment.spec?.source?.persistentVolumeName ?? '',
    attachment.spec?.nodeName ?? '',
    attachment.status?.attached ?? false,
    age(attachment, nowMs),
  ],
})
