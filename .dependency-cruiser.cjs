// The layer rules of ARCHITECTURE.md: for each folder, what it may import. scripts/check-layers.ts runs
// this and fails when fewer modules were read than there are files.
const layers = {
  lib: [],
  api: ['lib'],
  grpc: ['lib'],
  store: ['lib', 'api', 'grpc', 'host'],
  streams: ['lib', 'api'],
  server: ['lib', 'api', 'store', 'streams', 'host'],
  client: ['lib', 'api'],
  control: ['lib', 'api', 'client'],
  controllers: ['lib', 'api', 'client', 'control'],
  scheduler: ['lib', 'api', 'client', 'control'],
  host: ['lib'],
  cri: ['lib', 'host', 'streams', 'grpc'],
  node: ['lib', 'api', 'client', 'control', 'cri', 'host', 'streams'],
  network: ['lib', 'api', 'client', 'control', 'host'],
  images: ['lib', 'host'],
  delivery: ['lib', 'api', 'client', 'control', 'streams', 'images'],
  develop: ['lib', 'delivery', 'images'],
  gateway: ['lib', 'api', 'client', 'control', 'host'],
  observe: ['lib', 'api', 'client', 'control'],
  dashboard: ['lib', 'api', 'client'],
  cli: ['lib', 'api', 'client', 'delivery', 'develop', 'images', 'gateway'],
}

/** Tests, and the contract suites that they run: a file or a folder. */
const tests = '\\.test\\.ts$|/contract\\.ts$|/contract/'

const rules = Object.entries(layers).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  severity: 'error',
  comment: `src/${folder} may import ${allowed.length === 0 ? 'nothing' : allowed.join(', ')}`,
  from: { path: `^src/${folder}/`, pathNot: tests },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed].join('|')})/` },
}))

module.exports = {
  forbidden: [
    ...rules,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'controllers-are-siblings',
      severity: 'error',
      from: { path: '^src/controllers/([^/]+)/' },
      to: { path: '^src/controllers/([^/]+)/', pathNot: '^src/controllers/$1/' },
    },
    {
      name: 'delivery-knows-no-cluster',
      severity: 'error',
      comment: 'what an engine does to the world goes through src/delivery/engine/engine.ts',
      from: { path: '^src/delivery/', pathNot: '^src/delivery/engine/kubernetes/|\\.test\\.ts$' },
      to: { path: '^src/(api|client|control|streams)/' },
    },
    {
      name: 'engines-know-no-delivery',
      severity: 'error',
      from: { path: '^src/delivery/engine/[^/]+/' },
      to: { path: '^src/delivery/', pathNot: '^src/delivery/(engine/|deploy-error\\.ts$)' },
    },
    {
      name: 'composition-root-is-a-leaf',
      severity: 'error',
      from: { pathNot: '^(src/(main|testing)/|test/|bench/|scripts/)', path: '^src/' },
      to: { path: '^src/main/' },
    },
    {
      name: 'testing-stays-in-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/testing/|${tests}` },
      to: { path: '^src/testing/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
}
