// Nothing can be made in a namespace that is being deleted; a control loop there has nothing to complain
// about and nothing to retry.
import { ApiError } from '../api/api-error.ts'

export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof ApiError &&
  error.code === 403 &&
  ((error.status.details?.causes ?? []).some(cause => cause.reason === 'NamespaceTerminating') ||
    error.message.includes('because it is being terminated'))
