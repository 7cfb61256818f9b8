import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pythonStart } from './start-command.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-start-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function put(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
}

const start = (files: Readonly<Record<string, string>>, ...packages: string[]): string => {
  put(files)
  return pythonStart(directory, undefined, new Set(packages)).command.join(' ')
}

const scripts = (...lines: string[]): string =>
  `[project]\nname = "my-shop"\n\n[project.scripts]\n${lines.join('\n')}\n`

describe('a Python service is started', () => {
  test.each<[string, Record<string, string>, string[], string]>([
    [
      'by its only script',
      { 'pyproject.toml': scripts('go = "shop.main:run"') },
      [],
      'python -c import sys; import shop.main; sys.exit(shop.main.run())',
    ],
    [
      'by the script of the usual name',
      { 'pyproject.toml': scripts('migrate = "a:b"', 'serve = "c:d"') },
      [],
      'python -c import sys; import c; sys.exit(c.d())',
    ],
    [
      'by the script of its own name',
      { 'pyproject.toml': scripts('migrate = "a:b"', 'my-shop = "c:d"') },
      [],
      'python -c import sys; import c; sys.exit(c.d())',
    ],
    [
      'by its Procfile, with variables for later',
      { Procfile: 'worker: x\nweb: gunicorn main:app --bind "0.0.0.0:$PORT" -w ${WORKERS:-2}\n', 'main.py': '' },
      [],
      'gunicorn main:app --bind 0.0.0.0:${PORT} -w ${WORKERS:-2}',
    ],
    [
      'by gunicorn for WSGI',
      { 'app.py': 'app = Flask(__name__)\n' },
      ['flask', 'gunicorn'],
      'python -m gunicorn --bind 0.0.0.0:${PORT} app:app',
    ],
    [
      'by waitress for WSGI',
      { 'wsgi.py': 'application: Any = make()\n' },
      ['waitress'],
      'python -m waitress --listen=0.0.0.0:${PORT} wsgi:application',
    ],
    [
      'by uvicorn for ASGI',
      { 'app/main.py': 'app = FastAPI()\n' },
      ['fastapi', 'gunicorn', 'uvicorn'],
      'python -m uvicorn --host 0.0.0.0 --port ${PORT} app.main:app',
    ],
    [
      'by hypercorn for ASGI',
      { 'src/main.py': 'app = Quart(__name__)\n' },
      ['quart', 'hypercorn'],
      'python -m hypercorn --bind 0.0.0.0:${PORT} main:app',
    ],
    [
      'by its own server',
      { 'main.py': 'app = FastAPI()\nif __name__ == "__main__":\n  serve()\n' },
      ['fastapi'],
      'python main.py',
    ],
    ['as a plain program', { 'main.py': 'print(1)\n' }, [], 'python main.py'],
    [
      'as a Django project',
      { 'manage.py': '', 'shop/wsgi.py': '', 'shop/asgi.py': '', 'main.py': '' },
      ['django', 'gunicorn'],
      'python -m gunicorn --bind 0.0.0.0:${PORT} shop.wsgi:application',
    ],
    [
      'as an asynchronous Django project',
      { 'manage.py': '', 'shop/wsgi.py': '', 'shop/asgi.py': '' },
      ['django', 'uvicorn'],
      'python -m uvicorn --host 0.0.0.0 --port ${PORT} shop.asgi:application',
    ],
    ['as a package', { 'src/shop/__main__.py': '' }, [], 'python -m shop'],
  ])('%s', (_name, files, packages, expected) => {
    expect(start(files, ...packages)).toBe(expected)
  })

  test('as somebody says', () => {
    put({ 'main.py': '' })
    expect(pythonStart(directory, ['python', 'other.py'], new Set())).toEqual({
      command: ['python', 'other.py'],
      because: 'build.start',
    })
  })
})

describe('how it is started is asked for', () => {
  test.each<[string, Record<string, string>, string[], RegExp]>([
    [
      'where nothing tells',
      { 'x.txt': '' },
      [],
      /cannot tell how the service in .* is started; say it in app.yml, such as build: \{ start: python main.py \}/,
    ],
    [
      'where several scripts could be it',
      { 'pyproject.toml': scripts('a = "x:a"', 'b = "x:b"') },
      [],
      /\[project.scripts\] has a, b, and none is called start, serve/,
    ],
    [
      'where a script is none',
      { 'pyproject.toml': scripts('a = "x y"') },
      [],
      /expected PACKAGE.MODULE:FUNCTION for the script a of pyproject.toml, found "x y"/,
    ],
    [
      'where only the server for developers is there',
      { 'manage.py': '', 'shop/wsgi.py': '' },
      ['django'],
      /Django project \(manage.py\), whose own server is for developers; add gunicorn or uvicorn/,
    ],
    [
      'where an application has no server',
      { 'app.py': 'app = Flask(__name__)\n' },
      ['flask'],
      /app.py of .* has the application "app" and starts no server; add gunicorn/,
    ],
    [
      'where a shell would be needed',
      { Procfile: 'web: ./migrate && gunicorn app:app\n' },
      [],
      /the line "web: .*" of .*Procfile cannot run in an image: "&&" needs a shell, which the image has not/,
    ],
  ])('%s', (_name, files, packages, message) => {
    put(files)
    expect(() => pythonStart(directory, undefined, new Set(packages))).toThrow(message)
  })
})
