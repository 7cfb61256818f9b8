// A cargo that is none says what it was asked and copies a program of this machine; where there is a real one, it
// builds as well.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../host/cluster-programs.ts'
import { BuildPlace, fakeProgram } from '../../../testing/build-place.ts'
import { rustBuilder } from './rust-builder.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
  place.put('Cargo.toml', '[package]\nname = "hello"\nversion = "1.2.0"\nedition = "2021"\n')
  place.put('Cargo.lock', 'version = 3\n\n[[package]]\nname = "hello"\nversion = "1.2.0"\n')
  place.put('src/main.rs', 'fn main() { println!("hello"); }\n')
  place.put('templates/page.html', '')
  place.put('target/release/old', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})

describe('a Rust project', () => {
  /** @returns the file that has what it was asked */
  function pretend(names: readonly string[], more: { defaultRun?: string; fails?: string } = {}): string {
    const folder = place.folder('programs')
    const metadata = {
      workspace_root: place.directory,
      packages: [
        {
          name: 'hello',
          manifest_path: join(place.directory, 'Cargo.toml'),
          default_run: more.defaultRun ?? null,
          targets: [...names.map(name => ({ name, kind: ['bin'] })), { name: 'library', kind: ['lib'] }],
        },
      ],
    }
    place.put('metadata.json', JSON.stringify(metadata), 0o644, folder)
    fakeProgram(
      folder,
      'cargo',
      `if [ "$1" = metadata ]; then cat ${folder}/metadata.json; exit; fi
printf '%s\\n' "$@" "CARGO_TARGET_DIR=$CARGO_TARGET_DIR" > ${folder}/asked
${more.fails === undefined ? '' : `printf '%s\\n' ${JSON.stringify(more.fails)} >&2; exit 101`}
mkdir -p "$CARGO_TARGET_DIR/release"
name=$(printf '%s' "$*" | sed 's/.*--bin=\\([^ ]*\\).*/\\1/')
cp /bin/true "$CARGO_TARGET_DIR/release/$name"
echo "{\\"reason\\":\\"compiler-artifact\\",\\"target\\":{\\"name\\":\\"$name\\"},\\"executable\\":\\"$CARGO_TARGET_DIR/release/$name\\"}"`,
    )
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
    return join(folder, 'asked')
  }

  test('becomes its program, with the libraries that it links and the files that it may read', async () => {
    const asked = pretend(['hello'])
    place.put(
      'Cargo.lock',
      'version = 3\n\n[[package]]\nname = "hello"\nversion = "1.2.0"\n\n[[package]]\nname = "serde"\nversion = "1.0.1"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n',
    )
    const { files, config, components } = await place.build(rustBuilder)
    expect(rustBuilder.describe(place.directory)).toEqual({ name: 'hello', version: '1.2.0' })
    expect(config).toMatchObject({ User: '1000:1000', Entrypoint: ['/app/hello'], Cmd: [] })
    expect([...files.keys()].filter(name => name.startsWith('app/'))).toEqual([
      'app/hello',
      'app/templates',
      'app/templates/page.html',
    ])
    expect(files.get('app/hello')?.layer).toBe(1)
    expect([...files].find(([name]) => name.endsWith('/libc.so.6'))?.[1].layer).toBe(0)
    expect(components).toContainEqual({ name: 'serde', version: '1.0.1', purl: 'pkg:cargo/serde@1.0.1' })
    const lines = readFileSync(asked, 'utf8')
    expect(lines).toMatch(/^build\n--release\n--locked\n--bin=hello\n/)
    expect(lines).toContain(`--remap-path-prefix=${place.directory}=/src`)
    expect(lines).toContain(`CARGO_TARGET_DIR=${place.cacheDirectory}/cargo-`)
  })

  test('of several programs starts the one that cargo would, or that was said', async () => {
    pretend(['api', 'worker'], { defaultRun: 'api' })
    expect((await place.build(rustBuilder)).config.Entrypoint).toEqual(['/app/api'])
    expect((await place.build(rustBuilder, { start: ['worker', '-v'] })).config).toMatchObject({
      Entrypoint: ['/app/worker'],
      Cmd: ['-v'],
    })
    pretend(['api', 'worker'])
    await expect(place.build(rustBuilder)).rejects.toThrow(
      /has several of the kind "program": api, worker; say which one is started/,
    )
    pretend([])
    await expect(place.build(rustBuilder)).rejects.toThrow(
      `expected a program in ${place.directory}, but there is none`,
    )
  })

  test('that does not compile, or cannot be read, says so', async () => {
    pretend(['hello'], { fails: 'error[E0425]: cannot find value `x`' })
    await expect(place.build(rustBuilder)).rejects.toThrow(
      /cargo build [\s\S]* failed in [\s\S]*error\[E0425\]: cannot find value/,
    )
    place.put('Cargo.toml', 'not = [toml')
    expect(() => rustBuilder.describe(place.directory)).toThrow(
      `${place.directory}/Cargo.toml cannot be read: Invalid TOML document`,
    )
  })

  test('without a lock file is refused', async () => {
    pretend(['hello'])
    rmSync(join(place.directory, 'Cargo.lock'))
    await expect(place.build(rustBuilder)).rejects.toThrow(
      `expected a Cargo.lock in ${place.directory}, because a build must be repeatable; make one with: cargo generate-lockfile`,
    )
  })
})

const missing = findProgram('cargo') === undefined

describe.skipIf(missing)(
  `with the cargo of this machine${missing ? ' (skipped: there is none; apt-get install cargo)' : ''}`,
  () => {
    test('a project becomes the same program wherever it is, and nothing is written into it', async () => {
      const first = await place.build(rustBuilder)
      const copy = place.copyOf(place.directory)
      const second = await place.build(rustBuilder, {}, { directory: copy, cacheDirectory: place.folder('cache') })
      expect(second.digests).toEqual(first.digests)
      expect(first.files.get('app/hello')?.content.slice(1, 4)).toBe('ELF')
      expect(existsSync(join(place.directory, 'target/release/hello'))).toBe(false)
    }, 180_000)

    test('a mistake in the source is told as the compiler does', async () => {
      place.put('src/main.rs', 'fn main() { nothing(); }\n')
      await expect(place.build(rustBuilder)).rejects.toThrow(/cannot find function `nothing`[\s\S]*src\/main.rs:1:13/)
    }, 180_000)
  },
)
