// How the cluster of a context is started again, for messages that tell that it is down. Without the data directory that
// it was started with, `sampan up` would make another, empty cluster.
import { join } from 'node:path'

/** Where root's cluster keeps its data when nobody says so. */
export const usualDataDirectory = (cluster: string): string => join('/var/lib/sampan', cluster)

/** @param dataDirectory undefined: nobody knows */
export function startCommand(cluster: string, dataDirectory: string | undefined): string {
  const isUsual = dataDirectory === undefined || dataDirectory === usualDataDirectory(cluster)
  return [
    'sampan up',
    ...(cluster === 'sampan' ? [] : [`--name ${cluster}`]),
    ...(isUsual ? [] : [`--data-dir ${shellWord(dataDirectory)}`]),
  ].join(' ')
}

const shellWord = (text: string): string =>
  /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
