// Go: one program, linked statically where nothing needs C, on users and certificates alone. Modules come from where
// the go command gets them (vendor, module cache, proxy), and GOFLAGS counts.
import { join } from 'node:path'
import type { CommandOutput } from '../../../host/command.ts'
import { findProgram } from '../../../host/cluster-programs.ts'
import type { BuildContext } from '../builder.ts'
import { buildByCommand } from '../command/build-by-command.ts'
import type { Component, ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import { librariesOfProgram } from '../layers/executables.ts'
import { foundation } from '../layers/foundation.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { oneProgram } from '../layers/one-program.ts'
import { serviceFiles } from '../layers/service-files.ts'
import { runTool } from '../run-tool.ts'
import { lastElement, moduleName } from './go-module.ts'

/** @throws BuildError */
export async function buildGo(context: BuildContext): Promise<ImageContent> {
  const { directory, settings, making, progress } = context
  if (settings.run !== undefined) return buildByCommand(context)
  const cgo = await needsC(context)
  const { program, args } = oneProgram(
    await mainPackages(context),
    settings.start,
    moduleName(directory),
    'main package',
    directory,
  )
  const binary = join(making, program.name)
  const flags = process.env['GOFLAGS'] ?? ''
  await go(
    context,
    [
      'build',
      '-trimpath',
      '-buildvcs=false',
      // Those of the environment would be replaced.
      ...(/(?:^|\s)-{1,2}ldflags\b/.test(flags) ? [] : ['-ldflags=-s -w']),
      '-o',
      binary,
      program.package,
    ],
    { CGO_ENABLED: cgo },
  )
  progress(`go build ${program.name}`, false)
  const place = `${applicationFolder}/${program.name}`
  const entries: LayerEntry[] = [
    ...(await entriesBelow(directory, applicationFolder, serviceFiles(directory, sources))),
    { path: place, kind: 'file', source: binary, mode: 0o755 },
  ]
  const below = await foundation(context, [], await librariesOfProgram(binary, program.name))
  return {
    layers: [...below.layers, await applicationLayer(context, entries)],
    config: containerConfig({ command: [`/${place}`, ...args] }),
    components: [...below.components, ...(await modulesIn(context, binary))],
  }
}

/** What the compiler takes. Other files are there to be read by the program. */
const sources = {
  never: ['vendor', 'testdata'],
  usually: ['**/*.go', 'go.mod', 'go.sum', 'go.work', 'go.work.sum', 'Makefile', '*.md'],
}

interface MainPackage {
  readonly name: string
  /** As the go command is told: `./cmd/api`. */
  readonly package: string
}

async function mainPackages(context: BuildContext): Promise<MainPackage[]> {
  const { stdout } = await go(context, ['list', '-e', '-f', '{{if eq .Name "main"}}{{.ImportPath}}{{end}}', './...'])
  return stdout
    .split('\n')
    .filter(path => path !== '')
    .map(path => ({ name: lastElement(path) ?? path, package: path }))
}

/**
 * CGO_ENABLED as somebody set it; otherwise 0, which makes a program that needs no library, unless a package beside the
 * standard library has code in C and there is a compiler.
 */
async function needsC(context: BuildContext): Promise<string> {
  const said = process.env['CGO_ENABLED']
  if (said !== undefined && said !== '') return said
  const { stdout } = await go(
    context,
    ['list', '-e', '-deps', '-f', '{{if and (not .Standard) .CgoFiles}}{{.ImportPath}}{{end}}', './...'],
    { CGO_ENABLED: '1' },
  )
  const names = stdout.split('\n').filter(name => name !== '')
  if (names.length === 0) return '0'
  if (findProgram(process.env['CC'] ?? 'gcc') !== undefined) return '1'
  context.note(
    `${names.join(', ')} ${names.length === 1 ? 'has' : 'have'} code in C, which is left out, because this machine has no C compiler; install one with: apt-get install gcc libc6-dev`,
  )
  return '0'
}

/** As the program itself tells. */
async function modulesIn(context: BuildContext, binary: string): Promise<Component[]> {
  const { stdout } = await go(context, ['version', '-m', binary])
  const component = (name: string, version: string): Component => ({
    name,
    version,
    purl: `pkg:golang/${name}@${encodeURIComponent(version)}`,
  })
  const [, compiler] = /: go(\S+)/.exec(stdout) ?? []
  const modules = stdout.split('\n').flatMap(line => {
    const [kind, name, version] = line.trim().split('\t')
    return kind === 'dep' && name !== undefined && version !== undefined ? [component(name, version)] : []
  })
  return [...(compiler === undefined ? [] : [component('stdlib', compiler)]), ...modules]
}

const go = (
  { directory }: BuildContext,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandOutput> =>
  runTool('go', args, {
    directory,
    project: directory,
    environment: { ...process.env, ...variables },
    tells: 'first',
    missing: `${directory} is a Go project (go.mod), and Go is missing on this machine; install it with: apt-get install golang-go`,
  })
