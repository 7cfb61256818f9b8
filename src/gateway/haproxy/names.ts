// How things are called in HAProxy's configuration and on its socket. Pure.
import type { Entrance, Server } from '../model/model.ts'

/** Of the same server in each configuration. */
export const serverName = ({ address, port }: Pick<Server, 'address' | 'port'>): string =>
  `s_${address.replaceAll(/[.:]/g, '-')}_${port}`

/** Of its frontend, and of its maps' files. */
export const entranceName = ({ address, port }: Pick<Entrance, 'address' | 'port'>): string =>
  `${address.replaceAll(':', '-')}_${port}`

/** A key of a map as a word of a command, of which a semicolon is the end. */
export const commandWord = (key: string): string => key.replaceAll(/[;\\]/g, String.raw`\$&`)

/** What an entrance looks things up in. */
export type MapName = 'hosts' | 'one-label' | 'below' | 'listeners' | 'paths' | 'read' | 'shares'
