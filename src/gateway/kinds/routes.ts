// What all routes have in common: what they are attached to, hostnames, and a status for each parent.
import type { JSONSchemaProps as Schema, ValidationRule } from '../../api/generated/models.ts'
import { conditions } from './conditions.ts'
import { controllerName, hostname, parentReference } from './names-and-references.ts'
import { described, list, object, rule, ruled, whole } from './schema.ts'

const isEmpty = (path: string): string => `(!has(${path}) || ${path} == '')`
const areEqual = (field: string): string =>
  `((${isEmpty(`p1.${field}`)} && ${isEmpty(`p2.${field}`)}) || ` +
  `(has(p1.${field}) && has(p2.${field}) && p1.${field} == p2.${field}))`

/** Two references to the same thing have to differ in their section. `referents` are named in the message. */
export function distinctSections(field: string, referent: string, isNamespaced: boolean): ValidationRule[] {
  const areSame = `p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name${
    isNamespaced ? ` && ${areEqual('__namespace__')}` : ''
  }`
  const mention = `when ${field} includes 2 or more references to the same ${referent}`
  return [
    rule(
      `sectionName must be specified ${mention}`,
      `self.all(p1, self.all(p2, ${areSame} ? (${isEmpty('p1.sectionName')} == ${isEmpty('p2.sectionName')}) : true))`,
    ),
    rule(
      `sectionName must be unique ${mention}`,
      `self.all(p1, self.exists_one(p2, ${areSame} && ${areEqual('sectionName')}))`,
    ),
  ]
}

const parentRefs = described(
  'The gateways, or sets of listeners, whose requests the route takes; one listener alone with sectionName.',
  ruled(list(parentReference, 32), ...distinctSections('parentRefs', 'parent', true)),
)

export const hostnames = described(
  'Names that requests are sent to; *.example.com takes all names below. Left out, each name will do.',
  list(hostname, 16),
)

export const routeSpec = (properties: Record<string, Schema>, required: readonly string[] = []): Schema =>
  object({ parentRefs, ...properties }, required)

export const routeStatus = whole({
  parents: described(
    'What each parent made of the route.',
    list(
      object({ parentRef: parentReference, controllerName, conditions: conditions(1) }, [
        'conditions',
        'controllerName',
        'parentRef',
      ]),
      32,
    ),
  ),
})

/** CEL has no sum, so that each of the rules a route may have is counted by itself. */
export function limitOfMatches(countOf: (rule: string) => string): ValidationRule {
  const counts = Array.from({ length: 16 }, (_, index) => `(self.size() > ${index} ? ${countOf(`self[${index}]`)} : 0)`)
  return rule(
    'While 16 rules and 64 matches per rule are allowed, ' +
      'the total number of matches across all rules in a route must be less than 128',
    `${counts.join(' + ')} <= 128`,
  )
}
