// Makes sure that a container's image is on the machine, as its pull policy says. Several containers that
// wait for the same image share one pull. Failures back off: 10 s, doubling to 5 minutes, by image.
import type { Container, Pod, Secret } from '../api/generated/models.ts'
import { withDefaultTag } from '../api/image-name.ts'
import type { EventType } from '../control/event-recorder.ts'
import type { ImageSummary, RegistryCredentials, Runtime } from '../cri/runtime.ts'
import { BackOff } from '../lib/back-off.ts'
import type { Clock } from '../lib/clock.ts'
import type { ObjectSource } from './object-source.ts'

/** The container waits with `reason`; `backOff` tells the repetition of an older failure. */
export class ImageError extends Error {
  readonly reason: string
  readonly retryAfterMs: number

  constructor(reason: string, message: string, retryAfterMs: number) {
    super(message)
    this.name = 'ImageError'
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

export interface ImageProvider {
  /** How many images were pulled. */
  readonly pulled: number
  /** @throws ImageError */
  ensure(
    pod: Pod,
    container: Container,
    say: (type: EventType, reason: string, message: string) => void,
  ): Promise<ImageSummary>
}

const neverRetryMs = 20_000
const backOffOptions = { initialMs: 10_000, maximumMs: 300_000, resetAfterMs: 600_000 }

export function imageProvider(runtime: Runtime, objects: ObjectSource, clock: Clock): ImageProvider {
  const pulls = new Map<string, Promise<ImageSummary>>()
  const backOff = new BackOff<string>(backOffOptions)
  let pulled = 0
  const pull = async (reference: string, credentials: readonly RegistryCredentials[]): Promise<ImageSummary> => {
    const id = await pullWithAny(runtime, reference, credentials)
    pulled++
    return (await runtime.imageStatus(id)) ?? { id, tags: [], digests: [], sizeBytes: 0 }
  }
  return {
    get pulled() {
      return pulled
    },
    async ensure(pod, container, say) {
      const reference = withDefaultTag(container.image ?? '')
      const policy = container.imagePullPolicy ?? 'IfNotPresent'
      const present = policy === 'Always' ? undefined : await runtime.imageStatus(reference)
      if (present !== undefined) {
        say('Normal', 'Pulled', `Container image "${container.image}" already present on machine`)
        return present
      }
      if (policy === 'Never') {
        const message = `Container image "${container.image}" is not present with pull policy of Never`
        say('Warning', 'ErrImageNeverPull', message)
        throw new ImageError('ErrImageNeverPull', message, neverRetryMs)
      }
      say('Normal', 'Pulling', `Pulling image "${container.image}"`)
      const startMs = clock.now()
      try {
        const credentials = await credentialsFor(pod, reference, objects)
        const running = pulls.get(reference) ?? pull(reference, credentials)
        pulls.set(reference, running)
        const image = await running.finally(() => pulls.delete(reference))
        backOff.forget(reference)
        const seconds = ((clock.now() - startMs) / 1_000).toFixed(3).replace(/\.?0+$/, '')
        say(
          'Normal',
          'Pulled',
          `Successfully pulled image "${container.image}" in ${seconds}s (${seconds}s including waiting). Image size: ${image.sizeBytes} bytes.`,
        )
        return image
      } catch (error) {
        const message = (error as Error).message
        say('Warning', 'Failed', `Failed to pull image "${container.image}": ${message}`)
        say('Warning', 'Failed', 'Error: ErrImagePull')
        throw new ImageError('ErrImagePull', message, backOff.next(reference, clock.now()))
      }
    },
  }
}

async function pullWithAny(
  runtime: Runtime,
  reference: string,
  credentials: readonly RegistryCredentials[],
): Promise<string> {
  let last: unknown
  for (const candidate of credentials.length === 0 ? [undefined] : credentials) {
    try {
      return await runtime.pullImage(reference, candidate)
    } catch (error) {
      last = error
    }
  }
  throw last
}

async function credentialsFor(pod: Pod, reference: string, objects: ObjectSource): Promise<RegistryCredentials[]> {
  const names = (pod.spec.imagePullSecrets ?? []).map(({ name }) => name ?? '')
  const found = await Promise.all(names.map(name => objects.secret(pod.metadata.namespace!, name)))
  return found.flatMap(secret => (secret === undefined ? [] : credentialsIn(secret, reference)))
}

interface DockerConfig {
  readonly auths?: Record<string, { readonly username?: string; readonly password?: string; readonly auth?: string }>
}

export function credentialsIn(secret: Secret, reference: string): RegistryCredentials[] {
  const text = secret.data?.['.dockerconfigjson'] ?? secret.data?.['.dockercfg']
  if (text === undefined) return []
  try {
    const parsed = JSON.parse(Buffer.from(text, 'base64').toString()) as DockerConfig &
      NonNullable<DockerConfig['auths']>
    const entries = Object.entries(
      secret.data?.['.dockerconfigjson'] === undefined
        ? (parsed as NonNullable<DockerConfig['auths']>)
        : (parsed.auths ?? {}),
    )
    return entries
      .filter(([registry]) => belongsTo(registry, reference))
      .flatMap(([, { username, password, auth }]) => {
        const [name, secretWord] =
          auth === undefined ? [username, password] : Buffer.from(auth, 'base64').toString().split(/:(.*)/s)
        return name === undefined || secretWord === undefined ? [] : [{ username: name, password: secretWord }]
      })
  } catch {
    return []
  }
}

function belongsTo(registry: string, reference: string): boolean {
  const host = registry.replace(/^https?:\/\//, '').replace(/\/(v1|v2)?\/?$/, '')
  const first = reference.split('/')[0]!
  const ownHost = reference.includes('/') && /[.:]|^localhost$/.test(first) ? first : 'index.docker.io'
  return host === ownHost || (ownHost === 'index.docker.io' && host === 'docker.io') || reference.startsWith(`${host}/`)
}
