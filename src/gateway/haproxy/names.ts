// How things are called in HAProxy's configuration and on its socket. Pure.
import type { Server } from '../model/model.ts'

/** Of the same server in each configuration. */
export const serverName = ({ address, port }: Pick<Server, 'address' | 'port'>): string =>
  `s_${address.replaceAll(/[.:]/g, '-')}_${port}`

export const frontendName = (port: number): string => `port-${port}`

/** Keys and values of maps end at a space. */
export const mapText = (text: string): string => text.replaceAll(/[\s%#\\;]/g, char => encodeURIComponent(char))
