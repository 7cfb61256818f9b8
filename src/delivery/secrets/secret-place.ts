// Where a secret belongs: to one service of an environment, or to all of them (`shared`). A value is bound to its place.

export interface SecretPlace {
  readonly environment: string
  /** undefined: shared by all services of the environment. */
  readonly service: string | undefined
  readonly name: string
}

/** Those of variables. */
export const secretNames = /^[A-Za-z_][A-Za-z0-9_]*$/
export const secretNameRule = 'letters, digits and _, and no digit in front'

export const samePlace = (left: SecretPlace, right: SecretPlace): boolean =>
  left.environment === right.environment && left.service === right.service && left.name === right.name

/** `TOKEN of hcn`, `TOKEN for all services` */
export const placeText = ({ service, name }: Pick<SecretPlace, 'service' | 'name'>): string =>
  service === undefined ? `${name} for all services` : `${name} of ${service}`

/** As a person would type it. */
export const secretCommand = (verb: string, { environment, service, name }: SecretPlace): string =>
  ['sampan secret', verb, '-e', environment, ...(service === undefined ? [] : [service]), name].join(' ')
