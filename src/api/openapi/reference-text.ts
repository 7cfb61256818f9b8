// What is said of a field whose schema is a reference. The sources of the descriptions have no words for such
// fields, and `kubectl explain` shows what stands beside the reference.
import type { Field } from '../schema/schema.ts'
import type { Docs } from './docs.ts'

const byName: Readonly<Record<string, string>> = {
  spec: 'What is wanted: the desired state.',
  status: 'What was last observed: the current state. Controllers write it, not users.',
}
export const metadataText = "Standard object's metadata: name, labels and others."
export const listMetadataText = 'The revision of the list and where it continues.'
const byModel: Readonly<Record<string, string>> = { V1ObjectMeta: metadataText, V1ListMeta: listMetadataText }

/** The first sentence about the model serves where there are no words of its own. */
export function textOfReference(
  { name, type, model }: Pick<Field, 'name' | 'type' | 'model'>,
  docs: Docs,
): string | undefined {
  if (type !== 'object') return undefined
  return byModel[model] ?? byName[name] ?? /^.*?\.(?=\s|$)|^.+/.exec(docs[model]?.[0] ?? '')?.[0]
}
