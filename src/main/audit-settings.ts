// The audit log as `sampan up` was told to keep it: its policy read and checked, its file opened.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { readAuditPolicy, type AuditPolicy } from '../api/audit-policy.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { openLineFile, type LineSink } from '../host/line-file.ts'
import { SetupError } from './data-directory.ts'

/** Files as absolute paths. */
export interface AuditOptions {
  readonly auditPolicyFile?: string
  readonly auditLogPath?: string
  readonly auditLogMaxage?: number
  readonly auditLogMaxbackup?: number
  readonly auditLogMaxsize?: number
}

const dayMs = 86_400_000
const megabyte = 1024 * 1024

/** undefined: no audit log. @throws SetupError */
export function auditSettings(
  options: AuditOptions,
  clock: Clock,
  logger: Logger,
): { policy: AuditPolicy; sink: LineSink } | undefined {
  const { auditPolicyFile: policyFile, auditLogPath: path } = options
  if (policyFile === undefined && path === undefined) return undefined
  if (policyFile === undefined || path === undefined)
    throw new SetupError('--audit-policy-file and --audit-log-path must be given together')
  const policy = readPolicy(policyFile)
  const { auditLogMaxage = 0, auditLogMaxbackup = 0, auditLogMaxsize = 100 } = options
  try {
    return {
      policy,
      sink: openLineFile(
        {
          path,
          maximumBytes: auditLogMaxsize * megabyte,
          maximumBackups: auditLogMaxbackup,
          maximumAgeMs: auditLogMaxage * dayMs,
        },
        clock,
        logger,
      ),
    }
  } catch (error) {
    throw new SetupError(`--audit-log-path: ${path} cannot be written: ${(error as Error).message}`)
  }
}

function readPolicy(file: string): AuditPolicy {
  try {
    return readAuditPolicy(parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new SetupError(`--audit-policy-file: ${file}: ${(error as Error).message.split('\n', 1)[0]}`)
  }
}
