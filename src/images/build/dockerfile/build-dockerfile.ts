// A Dockerfile: somebody said in full how the image is made, and it is taken as it comes out, with its user and its
// start. What builds it is found on the machine.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { CommandError } from '../../../host/command.ts'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import type { ContainerConfig, ImageContent } from '../image-content.ts'
import { howItEnded } from '../run-tool.ts'
import type { BuildSecret, BuildSettings } from '../settings.ts'
import { findDockerfile, lineOf, readDockerfile, usualDockerfiles } from './dockerfile.ts'
import type { BuiltParts, DockerfileEngine } from './engine.ts'
import { findEngine } from './find-engine.ts'

/** @throws BuildError */
export async function buildDockerfile(context: BuildContext): Promise<ImageContent> {
  const { directory, settings, registry, making, cacheDirectory, progress, note } = context
  checkSettings(settings)
  const name = findDockerfile(directory, settings)
  if (name === undefined)
    throw new BuildError(
      `expected ${settings.dockerfile ?? usualDockerfiles.join(' or ')} in ${directory}, but there is none`,
    )
  const dockerfile = resolve(directory, name)
  const said = readDockerfile(dockerfile)
  checkTarget(settings.target, said, name)
  const secrets = secretsOf(directory, settings.secrets)
  const engine = await findEngine()
  const { target, args } = settings
  const what = { directory, dockerfile, target, args, secrets, registry, making, cacheDirectory }
  const parts = await engine.build(what).catch((error: unknown) => {
    if (error instanceof CommandError) throw new BuildError(failure(error, engine, dockerfile))
    throw error
  })
  progress(`${name} by ${engine.name}`, false)
  const content = contentOf(parts)
  if (isRoot(content.config.User))
    note(`${name} names no user other than root; let it end with USER 1000, or say "root: true" in app.yml`)
  return content
}

/** @throws BuildError for what only builders without a Dockerfile know */
function checkSettings({ base, packages, shell, run, output, start }: BuildSettings): void {
  const meaningless = Object.entries({
    base,
    packages: packages.length > 0 || undefined,
    shell: shell || undefined,
    run,
    output,
    start,
  })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key)
  if (meaningless.length > 0)
    throw new BuildError(
      `build has ${meaningless.join(', ')}, which says nothing where a Dockerfile makes the image; write it there, or take it away`,
    )
}

function checkTarget(
  target: string | undefined,
  { stages, stageCount }: ReturnType<typeof readDockerfile>,
  name: string,
): void {
  if (target === undefined || stages.some(stage => stage.toLowerCase() === target.toLowerCase())) return
  if (/^\d+$/.test(target) && Number(target) < stageCount) return
  throw new BuildError(
    `${name} has no stage "${target}" (build.target); ${stages.length === 0 ? 'none of its stages has a name: FROM IMAGE AS NAME' : `there is ${stages.join(', ')}`}`,
  )
}

/** With absolute paths. @throws BuildError when one cannot be had */
function secretsOf(directory: string, secrets: BuildSettings['secrets']): Record<string, BuildSecret> {
  return Object.fromEntries(
    Object.entries(secrets).map(([id, secret]): [string, BuildSecret] => {
      if ('variable' in secret) {
        if (process.env[secret.variable] !== undefined) return [id, secret]
        throw new BuildError(
          `the secret "${id}" of the build comes from the environment variable ${secret.variable}, which is not set; set it, or name a file with build.secrets.${id}.file`,
        )
      }
      const file = resolve(directory, secret.file)
      if (existsSync(file)) return [id, { file }]
      throw new BuildError(`the secret "${id}" of the build comes from the file ${file}, which is not there`)
    }),
  )
}

/** The last lines, and the place in the Dockerfile. */
function failure(error: CommandError, engine: DockerfileEngine, dockerfile: string): string {
  const { stderr } = error
  const lines = stderr
    .split(/\r?\n/)
    // What buildah says for those who develop it, and what it says twice.
    .map(line => line.replace(/\s*&imagebuilder\.Step\{.*$/, '').trimEnd())
    .filter(line => line !== '' && !/UNHANDLED LOGLEVEL|^subprocess exited with/.test(line))
  const step = /building at STEP "([^"]*)/.exec(stderr)?.[1] ?? /Dockerfile[^:\n]*:(\d+)/.exec(stderr)?.[1]
  const line = step === undefined ? undefined : /^\d+$/.test(step) ? Number(step) : lineOf(dockerfile, step)
  const place = line === undefined ? dockerfile : `${dockerfile}, line ${line}`
  const advice = engine.explain?.(stderr)
  return [
    `${engine.name} could not build ${place}:`,
    ...(lines.length === 0 ? [howItEnded(error, false)] : lines.slice(-15)),
    ...(advice === undefined ? [] : [advice]),
  ].join('\n')
}

function contentOf({ layers, config: { config = {}, rootfs } }: BuiltParts): ImageContent {
  const { Labels, ...rest } = config as ContainerConfig
  const labels = Object.fromEntries(Object.entries(Labels ?? {}).filter(([key]) => key !== 'io.buildah.version'))
  return {
    layers: layers.map(({ digest, size, mediaType, file }, index) => ({
      digest,
      size,
      mediaType,
      file,
      diffId: rootfs.diff_ids[index]!,
    })),
    config: { ...rest, ...(Object.keys(labels).length > 0 && { Labels: labels }) },
    components: [],
  }
}

const isRoot = (user = ''): boolean => /^(?:|root|0)(?::.*)?$/.test(user)
