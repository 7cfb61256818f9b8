// `secrets/ENVIRONMENT.yml`: who can read the values, and each value encrypted on its own, under a plain key. Comments
// and the order of what somebody wrote stay. Pure: a text goes in, a text comes out.
import { isMap, Scalar, type YAMLMap } from 'yaml'
import type { SecretPlace } from './secret-place.ts'
import { armorBegin } from './sealed-value.ts'
import { readSecretYaml } from './secret-yaml.ts'
import { SecretsError } from './secrets-error.ts'

export interface SealedSecret extends SecretPlace {
  readonly sealed: string
  readonly line: number
}

type Key = Pick<SecretPlace, 'service' | 'name'>

const newFile = (environment: string): string =>
  `# Secrets of ${environment}. Each value is encrypted with age, for the readers named here and for its place in this file.
# "sampan secret edit -e ${environment}" shows and changes them.
`

export class SecretFile {
  readonly path: string
  readonly environment: string
  private readonly yaml: ReturnType<typeof readSecretYaml>

  /**
   * @param text undefined: there is no file yet
   * @throws SecretsError with all mistakes and their lines
   */
  constructor(path: string, environment: string, text: string | undefined) {
    this.path = path
    this.environment = environment
    this.yaml = readSecretYaml(text ?? newFile(environment), ['readers', 'shared', 'services'])
    const plain = this.yaml.entries
      .filter(({ value }) => !value.trimStart().startsWith(armorBegin))
      .map(
        ({ service, name, line }) =>
          `${line}: ${service === undefined ? 'shared' : `services.${service}`}.${name}: expected an encrypted value, found another one; take it out, and give it to "sampan secret set -e ${environment} ${service === undefined ? '' : `${service} `}${name}"`,
      )
    const mistakes = [...this.yaml.mistakes, ...plain]
    if (mistakes.length > 0) throw new SecretsError(mistakes.map(mistake => `${path}:${mistake}`))
  }

  /** age recipients by name: for whom the values were encrypted last. */
  get readers(): Readonly<Record<string, string>> {
    const { document } = this.yaml
    return (document.toJS() as { readers?: Record<string, string> } | null)?.readers || {}
  }

  /** In the order of the file. */
  get secrets(): readonly SealedSecret[] {
    const { entries } = readSecretYaml(this.text, ['readers', 'shared', 'services'])
    return entries.map(({ service, name, value, line }) => ({
      environment: this.environment,
      service,
      name,
      sealed: value,
      line,
    }))
  }

  find(key: Key): SealedSecret | undefined {
    return this.secrets.find(({ service, name }) => service === key.service && name === key.name)
  }

  put({ service, name }: Key, sealed: string): void {
    const value = new Scalar(sealed)
    value.type = Scalar.BLOCK_LITERAL
    this.map(service === undefined ? ['shared'] : ['services', service]).set(name, value)
  }

  /** @returns whether it was there */
  remove({ service, name }: Key): boolean {
    const path = service === undefined ? ['shared'] : ['services', service]
    const { document } = this.yaml
    if (!document.hasIn([...path, name])) return false
    document.deleteIn([...path, name])
    for (let depth = path.length; depth > 0; depth--) {
      const inside = document.getIn(path.slice(0, depth))
      if (!isMap(inside) || inside.items.length > 0 || inside.comment) break
      document.deleteIn(path.slice(0, depth))
    }
    return true
  }

  setReaders(readers: Readonly<Record<string, string>>): void {
    const map = this.map(['readers'])
    for (const name of Object.keys(this.readers)) if (!Object.hasOwn(readers, name)) map.delete(name)
    for (const [name, recipient] of Object.entries(readers)) map.set(name, recipient)
  }

  get text(): string {
    const { document } = this.yaml
    return isMap(document.contents) ? document.toString({ lineWidth: 0 }) : newFile(this.environment)
  }

  /** Made where there is none. */
  private map(path: readonly string[]): YAMLMap {
    const { document } = this.yaml
    for (let depth = 0; depth <= path.length; depth++) {
      const above = path.slice(0, depth)
      if (isMap(document.getIn(above))) continue
      if (depth === 0) document.contents = document.createNode({}) as unknown as typeof document.contents
      else document.setIn(above, document.createNode({}))
    }
    return document.getIn(path) as YAMLMap
  }
}
