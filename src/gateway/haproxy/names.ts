// How things are called in HAProxy's configuration and on its socket. Pure.
import type { Server } from '../model/model.ts'

/** Of the same server in each configuration. */
export const serverName = ({ address, port }: Pick<Server, 'address' | 'port'>): string =>
  `s_${address.replaceAll(/[.:]/g, '-')}_${port}`

export const frontendName = (port: number): string => `port-${port}`

/** A key of a map as a word of a command, of which a semicolon is the end. */
export const commandWord = (key: string): string => key.replaceAll(/[;\\]/g, String.raw`\$&`)
