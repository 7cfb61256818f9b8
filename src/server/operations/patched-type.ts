// A JSON patch or merge patch can make an object of another kind or version. The latter is converted where there is
// a conversion; a strategic merge patch changes neither.
// Source: apiserver pkg/endpoints/handlers/patch.go; apiextensions-apiserver pkg/apiserver/conversion and
// pkg/registry/customresource/validator.go.
import { conversionProblem } from '../../api/conversion-problem.ts'
import { wrongCustomKind } from '../../api/custom-resources/wrong-kind.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { isObject } from '../../api/patch/json-value.ts'
import { refusePatchedObject } from '../../api/patch/patch-refusal.ts'
import { typeMetaOf, type TypeMeta } from '../../api/resource.ts'
import type { ServerContext } from '../server-context.ts'

/** @returns the patched object, or of one without a version what can be known of it: nothing. @throws ApiError Invalid */
export function checkTypeOfPatched(context: ServerContext, kind: KindDefinition, patched: unknown): unknown {
  if (!isObject(patched)) return patched
  const { apiVersion = '', kind: name = '' } = patched
  // What is no text is refused by whoever decodes it.
  if (typeof apiVersion !== 'string' || typeof name !== 'string') return patched
  if (kind.custom === undefined && apiVersion === '') return {}
  const problem = problemOf({ apiVersion, kind: name }, kind, context, patched)
  if (problem !== undefined) throw refusePatchedObject(patched, { problem })
  if (kind.custom !== undefined && name !== kind.resource.kind) throw wrongCustomKind(kind.resource, patched, name)
  return patched
}

function problemOf(
  given: TypeMeta,
  { resource, custom }: KindDefinition,
  { kinds }: ServerContext,
  patched: object,
): string | undefined {
  if (custom === undefined)
    return conversionProblem(
      { ...given, kind: given.kind || resource.kind },
      typeMetaOf(resource),
      (apiVersion, name) => kinds.hasKind(apiVersion, name),
    )
  if (given.kind === '') return `Object 'Kind' is missing in '${JSON.stringify(patched)}'`
  return kinds.hasKind(given.apiVersion, resource.kind)
    ? undefined
    : `request to convert CR from an invalid group/version: ${given.apiVersion}`
}
