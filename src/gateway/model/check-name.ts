// What is asked of clients, as a name. Pure.
import { hashOf } from './backends.ts'
import type { ClientCheck } from './model.ts'

/** The same for what asks the same; nothing: nothing is asked. */
export const checkName = (clients: ClientCheck | undefined): string => (clients === undefined ? '' : hashOf(clients))
