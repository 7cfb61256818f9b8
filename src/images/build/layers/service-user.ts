/** The user services run as. */
export const serviceUser = { name: 'node', id: 1000 } as const
export const homeDirectory = '/home/node'
