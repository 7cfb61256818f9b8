// What a definition's schemas have that no schema may have. No definition is accepted with it; one that a store has from
// elsewhere can be.
import type { CustomResourceDefinition } from '../generated/models.ts'
import { checkStructural } from './structural-check.ts'

export const violationsOf = ({ spec }: CustomResourceDefinition): string[] =>
  spec.versions.flatMap(({ schema }, index) =>
    schema?.openAPIV3Schema === undefined
      ? []
      : checkStructural(schema.openAPIV3Schema, `spec.versions[${index}].schema.openAPIV3Schema`).map(
          ({ field, message }) => `${field}: ${message}`,
        ),
  )
