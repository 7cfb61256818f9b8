// Descriptions of models and fields. They are half a megabyte that only OpenAPI needs, so they are
// loaded on demand; documents made before have none.

/** Model → its description, and that of each field. */
export type Docs = Readonly<Record<string, readonly [text: string, fields: Readonly<Record<string, string>>]>>

let loaded: Docs = {}

export async function loadDocs(): Promise<Docs> {
  const module = await import('../generated/docs.json', { with: { type: 'json' } })
  loaded = module.default as unknown as Docs
  return loaded
}

export const loadedDocs = (): Docs => loaded
