// Java, as a folder is known to be of it; what makes the image is loaded when one is made.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder } from '../builder.ts'
import { toolsKey } from '../layers/files-key.ts'
import type { BuildSettings } from '../settings.ts'
import { describeJava, gradleFiles } from './java-project.ts'

export const javaBuilder: Builder = {
  name: 'java',
  title: 'Java',
  looksFor:
    'pom.xml, build.gradle, build.gradle.kts or one jar; or "build: { with: java, run: COMMAND }" in app.yml, which makes one',
  finds,
  describe: describeJava,
  surroundings: async () => toolsKey(['java', 'javac', 'mvn', 'gradle'], ['JAVA_HOME', 'MAVEN_OPTS']),
  build: async context => (await import('./build-java.ts')).buildJava(context),
}

function finds(directory: string, { with: asked, run, output }: BuildSettings): string | undefined {
  const found = ['pom.xml', ...gradleFiles].find(name => existsSync(join(directory, name))) ?? onlyJar(directory)
  if (found !== undefined || asked !== 'java') return found
  // What is asked for need not be recognized.
  if (run !== undefined) return 'build.run'
  return output === undefined ? undefined : 'build.output'
}

function onlyJar(directory: string): string | undefined {
  const jars = readdirSync(directory).filter(name => name.endsWith('.jar'))
  return jars.length === 1 ? jars[0] : undefined
}
