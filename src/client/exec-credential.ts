// The program that a kubeconfig names to find out who one is (`exec`), as managed clusters have it: it is started,
// may ask the person at the terminal, and prints an ExecCredential with a token or a certificate.
// Source: client-go's credential plugins, API client.authentication.k8s.io/v1 and v1beta1.
import { spawnSync } from 'node:child_process'
import { dirname, resolve } from 'node:path'

export interface ExecSettings {
  readonly apiVersion: string
  readonly command: string
  readonly args?: readonly string[] | null
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null
  readonly installHint?: string
  readonly interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
  readonly provideClusterInfo?: boolean
}

export interface Credential {
  readonly token?: string
  readonly certificate?: string
  readonly key?: string
}

/** @param cluster as it stands in the kubeconfig, @param path of the kubeconfig @throws Error with what to do */
export function execCredential(settings: ExecSettings, cluster: Record<string, unknown>, path: string): Credential {
  const { apiVersion, command, args, env, installHint, interactiveMode, provideClusterInfo } = settings
  const interactive = interactiveMode !== 'Never' && process.stdin.isTTY
  const request = {
    apiVersion,
    kind: 'ExecCredential',
    spec: { interactive, ...(provideClusterInfo === true && { cluster }) },
  }
  // As with kubectl, a relative path is one from the kubeconfig, and a bare name is looked for in PATH.
  const program = command.includes('/') ? resolve(dirname(path), command) : command
  const { status, signal, stdout, error } = spawnSync(program, args ?? [], {
    env: {
      ...process.env,
      ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
      KUBERNETES_EXEC_INFO: JSON.stringify(request),
    },
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (error !== undefined)
    throw new Error(
      `${program} cannot be started: ${error.message}${installHint === undefined ? '' : `\n${installHint}`}`,
    )
  if (status !== 0) throw new Error(`${program} failed (${signal ?? `exit code ${status}`})`)
  return credentialIn(stdout, program)
}

function credentialIn(output: string, program: string): Credential {
  const expected = new Error(
    `expected an ExecCredential with a token or a certificate from ${program}, got something else`,
  )
  let answer: { status?: { token?: string; clientCertificateData?: string; clientKeyData?: string } } | null
  try {
    answer = JSON.parse(output) as typeof answer
  } catch {
    throw expected
  }
  const { token, clientCertificateData: certificate, clientKeyData: key } = answer?.status ?? {}
  if (!token && !(certificate && key)) throw expected
  return { ...(token && { token }), ...(certificate && key && { certificate, key }) }
}
