// The blocks of `sh` of a guide in docs/, with the headings above them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../src/testing/cluster-fixture.ts'

interface Block {
  readonly heading: string
  readonly commands: string
}

export function blocksOf(guide: string): Block[] {
  const text = readFileSync(join(repository, 'docs', guide), 'utf8')
  let heading = ''
  return [...text.matchAll(/^## (.*)$|^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, title, commands]) => {
    heading = title ?? heading
    return commands === undefined ? [] : [{ heading, commands }]
  })
}
