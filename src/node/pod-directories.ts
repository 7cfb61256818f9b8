// Where the agent keeps what belongs to a pod.
import { join } from 'node:path'
import type { Pod } from '../api/generated/models.ts'
import { logDirectoryName } from './pod-facts.ts'

export class PodDirectories {
  readonly root: string
  readonly volumes: string
  readonly hostsFile: string
  readonly logs: string

  constructor(dataDirectory: string, pod: Pod) {
    this.root = join(podsDirectory(dataDirectory), pod.metadata.uid)
    this.volumes = join(this.root, 'volumes')
    this.hostsFile = join(this.root, 'etc-hosts')
    this.logs = join(logsDirectory(dataDirectory), logDirectoryName(pod))
  }

  volume(plugin: string, name: string): string {
    return join(this.volumes, `kubernetes.io~${plugin}`, name)
  }

  terminationMessage(container: string, attempt: number): string {
    return join(this.root, 'containers', container, String(attempt))
  }

  containerLog(container: string, attempt: number): string {
    return join(this.logs, container, `${attempt}.log`)
  }
}

export const podsDirectory = (dataDirectory: string): string => join(dataDirectory, 'pods')
export const logsDirectory = (dataDirectory: string): string => join(dataDirectory, 'logs')
