// What TLSRoute, TCPRoute and UDPRoute have instead of matches: one rule, which says no more than where a connection goes.
import { backendReference, sectionName } from './names-and-references.ts'
import { described, list, object } from './schema.ts'

export const connectionRules = described(
  'Where connections go; exactly one.',
  list(
    object(
      {
        name: sectionName,
        backendRefs: described('The services that take them.', list(backendReference(), 16, 1)),
      },
      ['backendRefs'],
    ),
    1,
    1,
  ),
)
