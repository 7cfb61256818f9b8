// The image of a service that is worked on: as it is, with one layer more that holds the agent, which then starts what
// the image starts. In images without a Node.js that the agent knows, the layer brings one with its own linker.
import { realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContainerConfig, ImageContent } from '../images/build/image-content.ts'
import { librariesOf, nodePath } from '../images/build/layers/base-layer.ts'
import { filesKey } from '../images/build/layers/files-key.ts'
import { keptLayer, type LayerCache } from '../images/build/layers/kept-layer.ts'
import type { Layer, LayerEntry } from '../images/build/layers/layer.ts'
import { agentFolder, buildVariable } from './agent/words.ts'

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const agentFile = fileURLToPath(new URL(extension === 'ts' ? './agent/agent.ts' : './agent.js', import.meta.url))
const agentPath = `${agentFolder}/agent.m${extension}`

export interface Agent {
  /** How it is called: before `run PROGRAM...`, and before `connect`. */
  readonly command: readonly string[]
  /** Made once for all images: it may hold a whole Node.js. */
  readonly layer: (cache: LayerCache) => Promise<Layer>
}

/** @param hasNode whether the image is put on a Node.js of this machine */
export async function agentFor(hasNode: boolean, nodeBinary: string): Promise<Agent> {
  const { entries, node } = hasNode ? { entries: [], node: [`/${nodePath}`] } : await ownRuntime(nodeBinary)
  const key = filesKey([agentFile, ...(hasNode ? [] : [nodeBinary])], '1')
  return {
    command: [...node, agentPath],
    layer: cache =>
      keptLayer(cache, `agent-${key}`, async () => ({
        entries: [
          ...entries,
          { path: agentPath.slice(1), kind: 'file', source: agentFile },
          { path: `${agentFolder.slice(1)}/run`, kind: 'directory', mode: 0o777 },
        ],
      })),
  }
}

/** @param build what the image is told from others by */
export async function withAgent(
  content: ImageContent,
  { command, layer }: Agent,
  build: string,
  cache: LayerCache,
): Promise<ImageContent> {
  const { Entrypoint: program = [], Cmd: args = [], Env: variables = [], ...rest } = content.config
  const config: ContainerConfig = {
    ...rest,
    Env: [...variables, `${buildVariable}=${build}`],
    Entrypoint: [...command, 'run', ...program, ...args],
  }
  return { ...content, layers: [...content.layers, await layer(cache)], config }
}

/** Started by the linker that lies beside it, so that it does not matter what the image has. */
async function ownRuntime(
  nodeBinary: string,
): Promise<{ readonly entries: readonly LayerEntry[]; readonly node: readonly string[] }> {
  const libraries = await librariesOf(nodeBinary)
  const place = (path: string): string => `${agentFolder}/lib/${basename(path)}`
  const linker = libraries.find(path => /\/ld-linux[^/]*$/.test(path))
  const entries = [
    { path: `${agentFolder}/node`, source: nodeBinary },
    ...libraries.map(path => ({ path: place(path), source: path })),
  ].map(({ path, source }): LayerEntry => ({
    path: path.slice(1),
    kind: 'file',
    source: realpathSync(source),
    mode: 0o755,
  }))
  const node = `${agentFolder}/node`
  return {
    entries,
    node: linker === undefined ? [node] : [place(linker), '--library-path', `${agentFolder}/lib`, node],
  }
}
