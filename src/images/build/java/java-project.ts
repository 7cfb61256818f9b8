// A project of Java as its files describe it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectName } from '../builder.ts'

export const gradleFiles = ['build.gradle', 'build.gradle.kts']

/** A pom.xml says both beside its parent, dependencies and plug-ins; Gradle says it in a program. */
export function describeJava(directory: string): ProjectName {
  const file = join(directory, 'pom.xml')
  if (!existsSync(file)) return { name: undefined, version: undefined }
  let own = readFileSync(file, 'utf8').replaceAll(/<!--.*?-->/gs, '')
  for (const part of ['parent', 'dependencies', 'dependencyManagement', 'build', 'profiles', 'reporting', 'properties'])
    own = own.replaceAll(new RegExp(`<${part}>.*?</${part}>`, 'gs'), '')
  const value = (name: string): string | undefined => {
    const text = new RegExp(`<${name}>\\s*([^<\\s]+)\\s*</${name}>`).exec(own)?.[1]
    return text?.includes('${') === true ? undefined : text
  }
  return { name: value('artifactId'), version: value('version') }
}
