// How far tests go. What is killed at each of many points is killed at some of them by `npm test`, which people wait for, and
// at all of them by `npm run thorough-test`.
export const isThorough = process.env['SAMPAN_THOROUGH'] === '1'

/** @param some of `all`, chosen by what each can break that others cannot */
export const tried = <T>(all: readonly T[], some: readonly T[]): readonly T[] => (isThorough ? all : some)
