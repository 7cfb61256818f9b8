import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { deliveryOf, nextStep, repositoryOf } from './delivery-of.ts'
import { findManifest } from './find-manifest.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-delivery-of-'))
afterAll(() => rmSync(root, { recursive: true }))

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(root, 'f-'))
})

function put(path: string, manifest: string): string {
  const directory = join(folder, path)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'app.yml'), manifest)
  return directory
}

const next = (directory: string, repository: string, context?: string): string =>
  nextStep(deliveryOf(directory), repository, '1.0.0', { context, folder })

test('a manifest names the image, and its command needs nothing more where it is found by itself', () => {
  const directory = put('services/dock', 'name: dock')
  expect(repositoryOf(deliveryOf(directory)!)).toBe('dock')
  expect(next(directory, 'dock')).toBe('next: sampan deploy -e test dock:1.0.0')
})

test('an image of a scope is delivered under the name of the service', () => {
  const directory = put('dock', 'name: dock\nimage: sampan.local/acme/dock')
  expect(repositoryOf(deliveryOf(directory)!)).toBe('acme/dock')
  expect(next(directory, 'acme/dock')).toBe('next: sampan deploy -e test dock:1.0.0')
})

test('a manifest with a mistake names no image', () => {
  const directory = put('dock', 'name: dock\nreplica: 2')
  expect(() => deliveryOf(directory)).toThrow(`${directory}/app.yml:2: unknown field "replica"`)
})

test('the environment is one that there is', () => {
  expect(next(put('a', 'name: a\nenvironments: { production: }'), 'a')).toContain('-e production a:1.0.0')
  expect(next(put('b', 'name: b\nenvironments: { production: , test: }'), 'b')).toContain('-e test b:1.0.0')
})

test('the file and the context are named where they are not found otherwise', () => {
  const directory = put('a/b/c/d/deep down', 'name: dock')
  expect(next(directory, 'dock', 'other')).toBe(
    `next: sampan deploy -e test dock:1.0.0 -f '${directory}/app.yml' --context other`,
  )
})

test('without a manifest that asks for the image, it is said what one would be', () => {
  expect(next(folder, 'acme/dock')).toBe(
    'next: give it an app.yml with "name: dock" and "image: sampan.local/acme/dock", then: sampan deploy -e test dock:1.0.0',
  )
  const foreign = put('x', 'name: x\nimage: ghcr.io/me/x')
  expect(repositoryOf(deliveryOf(foreign)!)).toBeUndefined()
  expect(next(foreign, 'x')).toContain('give it an app.yml with "name: x", then:')
})

test('what comes after it, where manifests are looked for, is not read', () => {
  const directory = put('a', 'name: dock')
  mkdirSync(join(folder, 'b'))
  symlinkSync('nowhere', join(folder, 'b/app.yml'))
  expect(next(directory, 'dock')).toBe('next: sampan deploy -e test dock:1.0.0')
  expect(findManifest('dock', undefined, folder).text).toBe('name: dock')
})

test('another service of the same name is found instead, where it comes first', () => {
  put('a', 'name: dock')
  const directory = put('b', 'name: dock')
  expect(next(directory, 'dock')).toContain(`-f ${directory}/app.yml`)
})
