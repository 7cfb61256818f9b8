import type { DockerfileBuild } from './engine.ts'

/** As all programs that build Dockerfiles are told of secrets. */
export const secretOptions = (secrets: DockerfileBuild['secrets']): string[] =>
  Object.entries(secrets).map(([id, secret]) =>
    'variable' in secret ? `--secret=id=${id},env=${secret.variable}` : `--secret=id=${id},src=${secret.file}`,
  )
