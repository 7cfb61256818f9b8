// Names of images for the completion of `sampan images ...`: what the registry has that the command would ask. A shell
// waits for it, so that a registry which does not answer at once offers nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterRegistry, type RegistryAsked } from './cluster-registry.ts'
import { registryContent } from './registry-login.ts'

const patienceMs = 1_500

/** @param words behind `sampan` */
export function offeredImages(words: readonly string[], asked: RegistryAsked): Promise<readonly string[]> {
  const late = sleep(patienceMs, [], { ref: false })
  return Promise.race([imagesOf(words, asked).catch(() => []), late])
}

async function imagesOf(words: readonly string[], asked: RegistryAsked): Promise<string[]> {
  const valueOf = (...options: string[]): string | undefined =>
    words.find((_, index) => options.includes(words[index - 1] ?? ''))
  const address = valueOf('--registry') ?? (await clusterRegistry(valueOf('--context', '--name'), asked))
  const registry = registryContent(address)
  try {
    const names = await registry.repositories()
    const tags = await Promise.all(names.map(name => registry.at(name).tags()))
    return names.flatMap((name, index) => tags[index]!.map(tag => `${name}:${tag}`))
  } finally {
    registry.close()
  }
}
