// On which port a service listens, and where it tells whether it is well, as its code and its Dockerfile say.
import type { Dependencies } from './dependencies.ts'
import type { ServiceFolder } from './service-folder.ts'

export interface PortGuess {
  readonly name: 'http' | 'grpc'
  readonly port: number
  readonly because: string
  /** The code has no port of its own: it has to be told. */
  readonly isTold: boolean
}

/** In the order in which they are believed. */
const inDockerfile = [/^\s*EXPOSE\s+(\d{2,5})/im, /^\s*ENV\s+PORT[=\s]+(\d{2,5})/im]
const inCode = [
  // process.env.PORT ?? 3000, os.environ.get("PORT", 8000)
  /(?:env(?:iron)?(?:\.PORT|\[['"]PORT['"]\])|getenv\(\s*['"]PORT['"]|(?:environ\.get|getenv)\(\s*['"]PORT['"]\s*,)\s*\)?\s*(?:\?\?|\|\||or|,)?\s*['"]?(\d{2,5})\b/,
  /\.listen\(\s*(?:\{\s*(?:host:[^,}]*,\s*)?port:\s*)?['"]?(\d{2,5})\b/,
  // ListenAndServe(":8080", ...), uvicorn.run(app, port=8000), const port = 3000
  /(?:ListenAndServe|Run|Listen)\(\s*(?:['"]tcp['"]\s*,\s*)?['"][\w.]*:(\d{2,5})['"]/,
  /\bport\s*[=:]\s*['"]?(\d{2,5})\b/i,
]
const readsPort = /env(?:iron)?(?:\.PORT\b|\[['"]PORT['"]\])|(?:environ\.get|[Gg]etenv)\(\s*['"]PORT['"]/

const usualPort = 3000

export function portOf(folder: ServiceFolder, { from }: Dependencies): PortGuess | undefined {
  const isGrpc =
    from.has('@grpc/grpc-js') && !from.has('express') && !codeOf(folder).some(([, text]) => /createServer\(/.test(text))
  const name = isGrpc || [...from.keys()].includes('grpcio') ? 'grpc' : 'http'
  const dockerfile = [...folder.files].filter(([path]) => path === 'Dockerfile')
  const found = firstIn(dockerfile, inDockerfile) ?? firstIn(codeOf(folder), inCode)
  if (found !== undefined) return { name, port: Number(found.text), because: found.path, isTold: false }
  const reading = codeOf(folder).find(([, text]) => readsPort.test(text))
  return reading === undefined
    ? undefined
    : { name, port: usualPort, because: `PORT, which ${reading[0]} reads`, isTold: true }
}

export interface HealthGuess {
  readonly path: string
  readonly because: string
}

/** Most telling first. */
const healthPaths = [
  'healthz',
  'readyz',
  'health/ready',
  'health',
  'livez',
  'ready',
  'health-check',
  'healthcheck',
  '_health',
  'api/health',
  'ping',
]

export function healthOf(folder: ServiceFolder): HealthGuess | undefined {
  const literals = healthPaths.map(path => new RegExp(`['"\`](/${path})/?['"\`]`))
  const found = firstIn(codeOf(folder), literals)
  return found === undefined ? undefined : { path: found.text, because: found.path }
}

type TextFile = readonly [path: string, text: string]

const codeOf = ({ files }: ServiceFolder): TextFile[] =>
  [...files].filter(([path]) => /\.(?:[cm]?[jt]s|py|go)$/.test(path))

/** What the first pattern that is found anywhere holds in its brackets. */
function firstIn(files: readonly TextFile[], patterns: readonly RegExp[]): { text: string; path: string } | undefined {
  for (const pattern of patterns)
    for (const [path, content] of files) {
      const text = pattern.exec(content)?.[1]
      if (text !== undefined) return { text, path }
    }
  return undefined
}
