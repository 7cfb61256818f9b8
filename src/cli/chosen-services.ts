// Which services a command is about, with their manifests and versions: those that are named, else all of sampan.yml.
import { dirname, join, resolve } from 'node:path'
import type { Place } from '../delivery/engine/parts.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import { UnknownEnvironment } from '../delivery/manifest/manifest-error.ts'
import { readManifest } from '../delivery/manifest/read-manifest.ts'
import { tagPattern } from '../images/image-reference.ts'
import { findManifest, manifestIn, type FoundManifest } from './find-manifest.ts'
import { checkEnvironment } from './known-environments.ts'
import { CommandFailure } from './output.ts'
import { placeIn, type Setting } from './target.ts'

export interface ChosenService {
  readonly name: string
  readonly version: string
  /** It was asked for; else it is that of the project. */
  readonly versionGiven: boolean
  readonly manifest: Manifest
  readonly file: string
  /** Others of sampan.yml that have to run before it. */
  readonly needs: readonly string[]
}

/** @param names `NAME:VERSION`, or `NAME` for the version of its project */
export async function chosenServices(
  names: readonly string[],
  target: Setting,
  { file }: { readonly file?: string },
): Promise<readonly ChosenService[]> {
  const wanted = names.length > 0 ? names : Object.keys(target.team?.services ?? {})
  if (wanted.length === 0)
    throw new CommandFailure(
      target.team === undefined
        ? `expected NAME:VERSION such as geo-backend:1.0.0; without it, all services of a sampan.yml are delivered, and there is none in ${process.cwd()} or above`
        : 'sampan.yml names no services; add them under "services", or give NAME:VERSION',
    )
  const chosen = await Promise.all(wanted.map(text => chosenService(text, target, file)))
  const twice = chosen.find(({ name }, index) => chosen.findIndex(other => other.name === name) < index)
  if (twice !== undefined) throw new CommandFailure(`expected each service once, found "${twice.name}" again`)
  return chosen
}

async function chosenService(text: string, target: Setting, file: string | undefined): Promise<ChosenService> {
  const [name = '', version, ...rest] = text.split(':')
  if (name === '' || rest.length > 0 || (version !== undefined && !tagPattern.test(version)))
    throw new CommandFailure(`expected NAME:VERSION such as geo-backend:1.0.0, found "${text}"`)
  const found = manifestOf(name, target, file)
  const manifest = readManifest(found.file, found.text, target.environment, target.team)
  if (manifest.name !== name)
    throw new CommandFailure(`${found.file} is the manifest of "${manifest.name}", not of "${name}"`)
  return {
    name,
    version: version ?? (await versionBeside(found.file, name, manifest)),
    versionGiven: version !== undefined,
    manifest,
    file: found.file,
    needs: target.team?.services[name]?.needs ?? [],
  }
}

export function manifestOf(service: string, target: Setting, file: string | undefined): FoundManifest {
  const known = target.team?.services[service]
  if (file === undefined && known !== undefined) return manifestIn(join(target.folder, known.path))
  return findManifest(service, file, process.cwd())
}

/**
 * Also of a service whose manifest is not at hand, or has mistakes; without these, a namespace of its own is respected.
 * @throws UnknownEnvironment, or CommandFailure, for an environment that neither its manifest nor the team knows
 */
export function placeOfService(service: string, target: Setting, file?: string): Place {
  const found = manifestIfAny(service, target, file)
  if (found === undefined) {
    // Manifests that happen to be below say nothing of other services; those of a team do.
    if (target.team !== undefined) checkEnvironment(target)
    return placeIn(target, service)
  }
  try {
    const { namespace } = readManifest(found.file, found.text, target.environment, target.team)
    return { environment: target.environment, service, namespace }
  } catch (error) {
    if (file !== undefined || error instanceof UnknownEnvironment) throw error
    return placeIn(target, service)
  }
}

function manifestIfAny(service: string, target: Setting, file: string | undefined): FoundManifest | undefined {
  try {
    return manifestOf(service, target, file)
  } catch (error) {
    if (file !== undefined) throw error
    return undefined
  }
}

async function versionBeside(file: string, name: string, manifest: Manifest): Promise<string> {
  // What knows projects is loaded when one has to be asked.
  const { projectIn } = await import('./project-in.ts')
  const { version, problem } = projectIn(dirname(resolve(file)), manifest.build)
  if (version !== undefined && tagPattern.test(version)) return version
  throw new CommandFailure(`expected a version, as in ${name}:1.0.0: ${problem}`)
}
