// The blocks of `sh` of a guide in docs/, and the `sampan` that they find.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, repository, sampanProgram, type ClusterFixture } from '../../src/testing/cluster-fixture.ts'

/** Each with a number and the heading above it. */
export function blocksOf(guide: string): [name: string, commands: string][] {
  const text = readFileSync(join(repository, 'docs', guide), 'utf8')
  let heading = ''
  return [...text.matchAll(/^## (.*)$|^```sh\n([\s\S]*?)^```$/gm)]
    .flatMap(([, title, commands]) => {
      heading = title ?? heading
      return commands === undefined ? [] : [{ heading, commands }]
    })
    .map((block, index) => [`${index + 1}. ${block.heading}`, block.commands])
}

/**
 * The PATH for a guide: `sampan` is the built one, about this test's cluster and no other of the machine.
 * @param named whether all commands are given the name of the cluster; else they go to the current context
 */
export function guidePath(cluster: ClusterFixture, named: boolean): string {
  const programs = folder(cluster.directory, 'bin')
  const run = `exec ${sampanProgram} "$@"`
  const name = `--name ${cluster.name}`
  const script = `#!/bin/sh
case $1 in
  up|down) ${run} ${name} --data-dir ${cluster.dataDirectory};;
  status) ${run} ${name};;
  *) ${run}${named ? ` ${name}` : ''};;
esac
`
  writeFileSync(join(programs, 'sampan'), script, { mode: 0o755 })
  return `${programs}:${process.env['PATH']}`
}
