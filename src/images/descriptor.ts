// What manifests point at their content and at each other with. Source: OCI image specification 1.1.

export interface Platform {
  readonly os?: string
  readonly architecture?: string
  readonly variant?: string
}

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType?: string
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
}
