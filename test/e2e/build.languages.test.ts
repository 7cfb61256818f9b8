// Services in languages other than JavaScript, and Dockerfiles: built by `sampan build`, pushed to the cluster's
// registry, run as containers that may not be root, and asked over HTTP.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pod } from '../../src/api/generated/models.ts'
import {
  ClusterFixture,
  reasonToSkipCluster,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { writeWheel } from '../../src/testing/python-wheel.ts'

const reason = reasonToSkipCluster()

const goService = `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		page, _ := os.ReadFile("page.txt")
		fmt.Fprintf(w, "go %d %s %s", os.Getuid(), page, os.Getenv("GREETING"))
	})
	http.ListenAndServe(":"+os.Getenv("PORT"), nil)
}
`

const rustService = `use std::io::{Read, Write};

fn main() {
    let port = std::env::var("PORT").unwrap();
    for stream in std::net::TcpListener::bind(format!("0.0.0.0:{port}")).unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let body = format!("rust {}", std::fs::read_to_string("page.txt").unwrap());
        let _ = write!(stream, "HTTP/1.1 200 OK\\r\\ncontent-length: {}\\r\\nconnection: close\\r\\n\\r\\n{}", body.len(), body);
    }
}
`

const javaService = `import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Main {
  public static void main(String[] words) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
    server.createContext("/", exchange -> {
      byte[] text = ("java " + System.getProperty("java.home") + " größer").getBytes("UTF-8");
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    });
    server.start();
  }
}
`

/** Loads what the standard library has in C, too. */
const pythonService = `import ctypes, hashlib, http.server, lzma, os, sqlite3, ssl, zoneinfo
import greet

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        number = sqlite3.connect(':memory:').execute('select 6 * 7').fetchone()[0]
        trusted = len(ssl.create_default_context().get_ca_certs()) > 0
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'python {os.getuid()} {greet.TEXT} {number} {trusted}'.encode())

def run():
    http.server.HTTPServer(('', int(os.environ['PORT'])), Handler).serve_forever()
`

describe.skipIf(reason !== undefined)(
  `services in other languages${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: ClusterFixture
    let root = ''
    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'sampan-languages-'))
      cluster = await ClusterFixture.up('languages')
    })
    afterAll(async () => {
      await cluster?.close()
      rmSync(root, { recursive: true, force: true })
    })

    function project(name: string, files: Readonly<Record<string, string>>): string {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, name, path)), { recursive: true })
        writeFileSync(join(root, name, path), content)
      }
      return join(root, name)
    }

    /** Builds it, runs it and waits until it answers. @returns its address */
    async function running(name: string, directory: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
      const tag = `team/${name}:1.0.0`
      const args = ['build', directory, '--name', cluster.name, '--tag', tag]
      succeeded(await cluster.run(sampanProgram, args, { environment, timeoutMs: 180_000 }))
      return answering(name, tag)
    }

    async function answering(name: string, tag: string): Promise<string> {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          securityContext: { runAsNonRoot: true },
          terminationGracePeriodSeconds: 5,
          containers: [
            {
              name: 'main',
              image: `sampan.local/${tag}`,
              readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      }
      succeeded(await cluster.kubectlWith(pod, 'apply'))
      const ready = await cluster.kubectl('wait', 'pod', name, '--for=condition=Ready', '--timeout=60s')
      if (ready.code !== 0) throw new Error(`${ready.err}${(await cluster.kubectl('logs', name)).out}`)
      const { status } = await cluster.json<Pod>('get', 'pod', name)
      return `http://${status.podIP}:8080`
    }

    /** Ended by its signal, it is gone before it would be killed. */
    async function endsInOrder(name: string): Promise<void> {
      const start = performance.now()
      succeeded(await cluster.kubectl('delete', 'pod', name, '--timeout=60s'))
      expect(performance.now() - start).toBeLessThan(5_000)
    }

    test('Go', async () => {
      const address = await running(
        'go',
        project('go', { 'go.mod': 'module example.com/hello\n\ngo 1.19\n', 'main.go': goService, 'page.txt': 'page' }),
      )
      expect(await cluster.curl(address)).toBe('go 1000 page ')
    }, 240_000)

    test('a Dockerfile from an image that was built before', async () => {
      const address = await running(
        'again',
        project('again', { Dockerfile: 'FROM sampan.local/team/go:1.0.0\nENV GREETING=again\n' }),
      )
      expect(await cluster.curl(address)).toBe('go 1000 page again')
    })

    /** Lines that make /index.html, which is served. */
    const dockerfileThatRuns = (...lines: string[]): string =>
      [
        'FROM scratch AS build',
        'COPY busybox /bin/sh',
        ...lines,
        'FROM scratch',
        'COPY --from=build /bin/sh /bin/busybox',
        'COPY --from=build /index.html /srv/index.html',
        'USER 1000',
        'ENTRYPOINT ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/srv"]',
      ].join('\n')

    test('a Dockerfile from nothing', async () => {
      const directory = project('scratch', {
        'app.yml': 'name: scratch\nports: { http: 8080 }\nbuild: { args: { WORD: built } }\n',
        Dockerfile: dockerfileThatRuns('ARG WORD=none', 'RUN echo "docker $WORD" > /index.html'),
      })
      copyFileSync('/bin/busybox', join(directory, 'busybox'))
      expect(await cluster.curl(await running('scratch', directory))).toBe('docker built\n')
    })

    test('a Dockerfile, built by a user who is not root', async () => {
      const directory = project('rootless', {
        Dockerfile: dockerfileThatRuns('RUN echo "user $(id -u)" > /index.html && chown 1000:1000 /index.html'),
      })
      copyFileSync('/bin/busybox', join(directory, 'busybox'))
      const registry = await cluster.registry()
      const build = (tag: string, ids: string): Promise<Result> =>
        asUser(['build', directory, '--registry', registry, '--tag', tag], ids)
      expect((await build('team/none:1', '')).err).toContain(
        'buildah needs ids for what is in an image, and builder has none in /etc/subuid and /etc/subgid',
      )
      succeeded(await build('team/rootless:1.0.0', 'builder:200000:65536\n'))
      expect(await cluster.curl(await answering('rootless', 'team/rootless:1.0.0'))).toBe('user 0\n')
    }, 120_000)

    /** One whom only these processes know. @param ids what /etc/subuid and /etc/subgid have */
    function asUser(words: readonly string[], ids: string): Promise<Result> {
      const home = mkdtempSync(join(root, 'home-'))
      chmodSync(root, 0o755)
      chownSync(home, 4321, 4321)
      const known = (file: string, line: string): string => readFileSync(file, 'utf8') + line
      const files = {
        passwd: known('/etc/passwd', `builder:x:4321:4321::${home}:/bin/sh\n`),
        group: known('/etc/group', 'builder:x:4321:\n'),
        subuid: ids,
        subgid: ids,
      }
      const mounts = Object.entries(files).map(([name, text]) => {
        const file = join(mkdtempSync(join(root, 'etc-')), name)
        chmodSync(dirname(file), 0o755)
        writeFileSync(file, text)
        return `touch /etc/${name} && mount --bind ${file} /etc/${name}`
      })
      const script = [...mounts, 'exec setpriv --reuid 4321 --regid 4321 --clear-groups "$@"'].join(' && ')
      const environment = { HOME: home, XDG_CACHE_HOME: undefined, XDG_RUNTIME_DIR: undefined }
      return cluster.run('unshare', ['--mount', 'sh', '-c', script, 'sh', sampanProgram, ...words], {
        environment,
        directory: home,
        timeoutMs: 120_000,
      })
    }

    test('Rust', async () => {
      const directory = project('rust', {
        'Cargo.toml': '[package]\nname = "hello"\nversion = "1.0.0"\nedition = "2021"\n',
        'Cargo.lock': 'version = 3\n\n[[package]]\nname = "hello"\nversion = "1.0.0"\n',
        'src/main.rs': rustService,
        'page.txt': 'page',
      })
      expect(await cluster.curl(await running('rust', directory))).toBe('rust page')
    }, 240_000)

    test('Java, of a jar that a command makes', async () => {
      const directory = project('java', {
        'app.yml': 'name: java\nports: { http: 8080 }\nbuild: { with: java, run: ./make.sh }\n',
        'make.sh':
          '#!/bin/sh\nset -e\nmkdir -p target\njavac -encoding UTF-8 -d classes Main.java\njar --create --file target/hello.jar --main-class Main -C classes .\n',
        'Main.java': javaService,
      })
      chmodSync(join(directory, 'make.sh'), 0o755)
      const address = await running('java', directory)
      expect(await cluster.curl(address)).toBe('java /usr/local/lib/java größer')
      await endsInOrder('java')
    }, 240_000)

    test('Python', async () => {
      const wheels = mkdtempSync(join(root, 'wheels-'))
      const { hash } = writeWheel(wheels, 'greet', '1.2.0', { 'greet.py': 'TEXT = "hi"\n' })
      const directory = project('python', {
        'pyproject.toml':
          '[project]\nname = "hello"\nversion = "1.0.0"\n\n[project.scripts]\nserve = "hello.web:run"\n',
        'requirements.txt': `greet==1.2.0 --hash=${hash}\n`,
        'src/hello/__init__.py': '',
        'src/hello/web.py': pythonService,
      })
      const address = await running('python', directory, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: wheels })
      expect(await cluster.curl(address)).toBe('python 1000 hi 42 True')
    }, 240_000)

    test('PHP', async () => {
      const directory = project('php', {
        'public/index.php':
          '<?php echo "php ", posix_getuid(), " ", extension_loaded("pdo") ? "pdo" : "", " ", $_SERVER["REQUEST_URI"];',
      })
      const address = await running('php', directory)
      expect(await cluster.curl(`${address}/orders/1`)).toBe('php 1000 pdo /orders/1')
      await endsInOrder('php')
    })

    test('a static site', async () => {
      const directory = project('pages', {
        'index.html': '<h1>home</h1>',
        'docs/index.html': '<h1>docs</h1>',
        '404.html': '<h1>lost</h1>',
        'style.css': 'a {}'.repeat(500),
        '.env': 'SECRET',
      })
      const address = await running('pages', directory)
      expect(await cluster.curl(`${address}/docs/`)).toBe('<h1>docs</h1>')
      expect(await cluster.curl(`${address}/.env`)).toBe('<h1>lost</h1>')
      const headers = await cluster.curl(`${address}/style.css`, '--head', '--header', 'Accept-Encoding: br')
      expect(headers).toMatch(/content-type: text\/css; charset=utf-8/i)
      expect(headers).toMatch(/content-encoding: br/i)
      await endsInOrder('pages')
    })
  },
)
