// What the tag of an image stands for now.
import type { RegistryClient } from './registry-client.ts'

export type TagAnswer =
  | { readonly digest: string }
  /** The registry answers and has no such tag; the tags it has. */
  | { readonly tags: readonly string[] }
  /** Why it could not be found out. */
  | { readonly reason: string }

export async function findDigest(client: RegistryClient, tag: string): Promise<TagAnswer> {
  try {
    const digest = await client.digestOf(tag)
    return digest === undefined ? { tags: await client.tags().catch(() => []) } : { digest }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}
