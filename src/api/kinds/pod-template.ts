// PodTemplate: a template that stands alone.
import { defineKind } from '../kind.ts'
import { formatLabels } from '../label-selector.ts'
import { podTemplates } from '../resources.ts'
import { validatePodTemplate } from '../validation/pod-spec.ts'
import { columns, templateCells } from './cells.ts'
import { defaultPodTemplate } from './pod-defaults.ts'

export const podTemplateKind = defineKind({
  resource: podTemplates,
  model: 'V1PodTemplate',
  singular: 'podtemplate',
  generation: true,
  defaults(draft) {
    draft.template = defaultPodTemplate(draft.template)
  },
  validate: ({ template }) => validatePodTemplate(template, 'template'),
  columns: columns('Name', 'Containers', 'Images', 'Pod Labels'),
  row: ({ metadata, template }) => [
    metadata.name,
    ...templateCells(template),
    formatLabels(template?.metadata?.labels),
  ],
})
