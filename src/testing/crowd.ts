// 108 containers: three services with a sidecar each, six instances, three environments. Small ones, of busybox in the
// versions 1.0.0 and 2.0.0; each says its version, and its sidecar says that it is there.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, type ClusterFixture } from './cluster-fixture.ts'

export const crowd = {
  environments: ['test', 'staging', 'production'],
  services: ['front', 'orders', 'stock'],
  containers: 108,
} as const

const team = `services:
  front: { needs: [orders] }
  orders: { needs: [stock] }
  stock: {}
environments: { test: {}, staging: {}, production: {} }
`

export const saysItsVersion =
  'echo "{\\"version\\":\\"$SERVICE_VERSION\\"}" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'

const manifest = (name: string): string => `name: ${name}
image: sampan.local/busybox
replicas: 6
stopSeconds: 1
security: { user: 65534 }
ports: { http: 8080, helper: 8081 }
health: { http: / }
command: ["sh", "-c", '${saysItsVersion}']
sidecars:
  helper:
    health: { http: /, port: helper }
    command: ["sh", "-c", 'echo "helper of $SERVICE_VERSION" > /tmp/index.html; exec httpd -f -p 8081 -h /tmp']
    security: { user: 65534 }
`

/** @returns the folder of its sampan.yml */
export async function writeCrowd(cluster: ClusterFixture): Promise<string> {
  await cluster.pushBusybox('1.0.0', '2.0.0')
  const project = folder(cluster.directory, 'crowd')
  writeFileSync(join(project, 'sampan.yml'), team)
  for (const name of crowd.services) writeFileSync(join(folder(project, name), 'app.yml'), manifest(name))
  setCrowdVersion(project, '1.0.0')
  return project
}

/** What is delivered when no version is named. */
export function setCrowdVersion(project: string, version: string): void {
  for (const name of crowd.services)
    writeFileSync(join(project, name, 'package.json'), JSON.stringify({ name, version }))
}
