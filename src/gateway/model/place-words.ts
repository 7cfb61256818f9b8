// Places of listeners as their statuses tell them, and read out of there by those who know the cluster alone. Pure.
import type { ListenerPlace } from './listeners.ts'

export const placesText = (places: readonly ListenerPlace[]): string =>
  `requests come in at ${places.map(({ address, port }) => `${address}:${port}`).join(' and ')}`

/** @returns none where the text says nothing of places */
export const placesIn = (text: string): readonly ListenerPlace[] =>
  Array.from(text.matchAll(/(\d+\.\d+\.\d+\.\d+):(\d+)/g), ([, address = '', port]) => ({
    address,
    port: Number(port),
  }))
