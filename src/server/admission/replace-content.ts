// What a mutating webhook or policy made of an object takes its place.
import { decodeObject } from '../../api/decode.ts'
import type { KubeObject } from '../../api/object.ts'
import { draftOf } from '../operations/finish-object.ts'
import type { AdmissionRequest } from '../server-context.ts'

/** The model of the object that a request is about; undefined for options of a connection, which have none. */
export function modelOfObject({ target, object, model }: AdmissionRequest): string | undefined {
  return model ?? (object?.kind === target.kind.resource.kind ? target.kind.model : undefined)
}

/**
 * Decodes and defaults it as if the client had sent it. The draft belongs to the request: everybody who holds it sees the change.
 * @param content in the form of the target's own version
 */
export function replaceContent(request: AdmissionRequest, content: KubeObject): void {
  const draft = request.object!
  const fresh = decoded(request, content)
  for (const key of Object.keys(draft)) delete (draft as unknown as Record<string, unknown>)[key]
  Object.assign(draft, fresh)
}

function decoded(request: AdmissionRequest, content: KubeObject): KubeObject {
  const {
    target: { kind },
    caller,
    model,
  } = request
  if (model !== undefined) return decodeObject(model, content).object as unknown as KubeObject
  if (modelOfObject(request) === undefined) return content
  const draft = draftOf(kind, content, { ...caller, fieldValidation: 'Ignore' })
  kind.defaults?.(draft)
  return draft
}
