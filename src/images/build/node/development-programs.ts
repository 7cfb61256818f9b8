// Programs that a developer starts a service with, and what starts it in production instead.

export interface ForDevelopment {
  readonly problem: string
  readonly instead: string
}

const staticSite =
  'a site of files that a build makes needs no Node.js: write into app.yml "build: { with: static, output: dist }"'
const typeScript = '"node src/main.ts": Node.js runs TypeScript itself'

/** Program, the first words after it that count (none: all), why not, what instead. */
const known: readonly (readonly [program: string, verbs: readonly string[], why: string, instead: string])[] = [
  ['nest', ['start'], 'compiles before it starts', '"node dist/main.js", which "nest build" makes'],
  ['next', ['dev'], 'is for development', '"next start", which needs a build script "next build"'],
  ['vite', ['', 'dev', 'serve', 'preview'], 'is for development', staticSite],
  [
    'astro',
    ['', 'dev', 'preview'],
    'is for development',
    '"node dist/server/entry.mjs" (@astrojs/node), or, without a server: ' + staticSite,
  ],
  ['react-scripts', ['start'], 'is for development', staticSite.replace('dist', 'build')],
  ['ng', ['serve'], 'is for development', staticSite],
  ['vue-cli-service', ['serve'], 'is for development', staticSite],
  ['webpack', ['serve', 'watch'], 'is for development', staticSite],
  ['webpack-dev-server', [], 'is for development', staticSite],
  ['nuxt', ['', 'dev', 'preview'], 'is for development', '"node .output/server/index.mjs", which "nuxt build" makes'],
  ['remix', ['dev', 'vite:dev'], 'is for development', '"remix-serve build/server/index.js"'],
  ['react-router', ['dev'], 'is for development', '"react-router-serve build/server/index.js"'],
  ['nodemon', [], 'is for development', typeScript],
  ['ts-node-dev', [], 'is for development', typeScript],
  ['tsnd', [], 'is for development', typeScript],
  ['pm2', ['start'], 'starts the service and ends', 'what pm2 starts; the cluster starts it again and scales it'],
]

/** What is missing in an image of production when it is only a dependency for development. */
const absent: Readonly<Record<string, string>> = {
  tsx: typeScript,
  'ts-node': typeScript,
  vite: staticSite,
  serve: staticSite,
  'http-server': staticSite,
  dotenv: 'the program itself; variables and files of an environment are in app.yml ("variables", "files")',
  dotenvx: 'the program itself; variables and files of an environment are in app.yml ("variables", "files")',
  'env-cmd': 'the program itself; variables and files of an environment are in app.yml ("variables", "files")',
}

/** @param words the program and what follows */
export function forDevelopment([program = '', ...rest]: readonly string[]): ForDevelopment | undefined {
  const verb = rest.find(word => !word.startsWith('-')) ?? ''
  const found = known.find(([name, verbs]) => name === program && (verbs.length === 0 || verbs.includes(verb)))
  if (found === undefined) return undefined
  const [, verbs, why, instead] = found
  return { problem: `"${verbs.length === 0 ? program : `${program} ${verb}`.trim()}" ${why}`, instead }
}

export const insteadOf = (program: string): string | undefined =>
  Object.hasOwn(absent, program) ? absent[program] : undefined
