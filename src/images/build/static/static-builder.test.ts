import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BuildPlace } from '../../../testing/build-place.ts'
import { chooseBuilder } from '../builders.ts'
import { defaultSettings } from '../settings.ts'
import { pagesBuilder, siteBuilder } from './static-builder.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
})
afterEach(() => place.close())

describe('a folder of pages', () => {
  test('becomes the pages and a server for them', async () => {
    place.put('index.html', '<h1>hi</h1>')
    place.put('about.html', '')
    place.put('drafts/x.html', '')
    place.put('.dockerignore', 'drafts')
    place.put('.hidden/x', '')
    place.put('.well-known/x', '')
    place.put('app.yml', '')
    const { files, config } = await place.build(pagesBuilder)
    expect(
      [...files].filter(([name, { type }]) => name.startsWith('app/') && type === 'file').map(([name]) => name),
    ).toEqual(['app/.well-known/x', 'app/about.html', 'app/index.html'])
    expect(config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['node'],
      Cmd: ['/usr/local/lib/sampan/static-server.ts', '/app'],
    })
    expect(files.get('usr/local/lib/sampan/static-server.ts')?.content).toContain('class Site')
    expect(JSON.parse(files.get('usr/local/lib/sampan/content-types.json')!.content)).toMatchObject({
      html: 'text/html',
      webp: 'image/webp',
      wasm: 'application/wasm',
    })
  })

  test('of one page with a program in it answers every path with it', async () => {
    place.put('index.html', '<div id="app"></div><script src="x.js"></script>')
    expect((await place.build(pagesBuilder)).config.Cmd?.at(-1)).toBe('--single-page')
    place.put('404.html', '')
    expect((await place.build(pagesBuilder)).config.Cmd?.at(-1)).toBe('/app')
  })
})

describe('pages that are made', () => {
  test('by a build script are found where such scripts put them', async () => {
    place.put(
      'package.json',
      JSON.stringify({
        name: '@acme/pages',
        version: '1.2.0',
        scripts: { build: 'mkdir -p dist && cp index.html dist && echo 1 > dist/x.js' },
      }),
    )
    place.put('index.html', '<h1>source</h1>')
    place.put('.dockerignore', 'dist')
    place.put('node_modules/.keep', '')
    const { builder } = chooseBuilder(place.directory, defaultSettings)
    expect(builder.describe(place.directory)).toEqual({ name: 'acme/pages', version: '1.2.0' })
    const { files, steps } = await place.build(builder)
    expect(files.get('app/x.js')?.content).toBe('1\n')
    expect(files.has('app/package.json')).toBe(false)
    expect(steps).toContain('npm run build')
    execFileSync('rm', ['-r', `${place.directory}/dist`])
    place.put('package.json', JSON.stringify({ scripts: { build: 'true' } }))
    await expect(place.build(builder)).rejects.toThrow(
      `the build of ${place.directory} made no index.html in dist, build, public, _site, out, .vitepress/dist; say where the pages are: build: { with: static, output: FOLDER }`,
    )
  }, 30_000)

  test('are what comes into a container that is worked on, from wherever a build put them', () => {
    place.put('package.json', JSON.stringify({ scripts: { build: 'vite build' } }))
    const { roots, steps, making } = siteBuilder.development!(place.directory, defaultSettings)
    expect([steps.map(({ command }) => command), roots()]).toEqual([[['npm', 'run', 'build']], []])
    expect(making).toContain(`${place.directory}/package.json`)
    place.put('dist/index.html', '')
    expect(roots().map(({ from, to }) => [from, to])).toEqual([[`${place.directory}/dist`, '/app']])
    expect(['a.html', '.env', '.well-known/a'].filter(roots()[0]!.filter.includes)).toEqual(['a.html', '.well-known/a'])
  })

  test('of a workspace are made anew when a package changes that their build takes', () => {
    place.put('package.json', JSON.stringify({ workspaces: ['*'] }))
    place.put('yarn.lock', '# yarn lockfile v1\n')
    place.put('words/package.json', JSON.stringify({ name: 'words', version: '1.0.0' }))
    place.put('other/package.json', JSON.stringify({ name: 'other', version: '1.0.0' }))
    const json = { name: 'site', scripts: { build: 'vite build' }, devDependencies: { words: '1.0.0' } }
    place.put('site/package.json', JSON.stringify(json))
    const inputs = siteBuilder.inputs!(`${place.directory}/site`)
    expect(inputs).toEqual(expect.arrayContaining([`${place.directory}/words`, `${place.directory}/yarn.lock`]))
    expect(inputs).not.toContain(`${place.directory}/other`)
  })

  test('by a command come from the folder that is said', async () => {
    place.put('make', '#!/bin/sh\nmkdir -p site && echo "<p>" > site/index.html\n', 0o755)
    const settings = { with: 'static', run: ['./make'], output: 'site' } as const
    expect((await place.build(siteBuilder, settings)).files.get('app/index.html')?.content).toBe('<p>\n')
    await expect(place.build(siteBuilder, { ...settings, output: 'other' })).rejects.toThrow(
      `expected the folder ${place.directory}/other (build.output), but there is none after ./make`,
    )
    place.put('empty/x', '')
    await expect(place.build(siteBuilder, { ...settings, output: 'empty' })).rejects.toThrow(
      `expected an index.html in ${place.directory}/empty, but there is none`,
    )
  })
})
