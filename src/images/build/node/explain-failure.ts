// What to do about the failure of an installation, where what the package manager says does not tell.

const causes: readonly (readonly [RegExp, string])[] = [
  [
    /gyp ERR! find Python|not found: make|(?:make|g\+\+|gcc|cc|c\+\+): (?:command )?not found|make: (?:g\+\+|cc|c\+\+): No such file/,
    'a native module is compiled when it is installed, and this machine has not what that takes; install it with: apt-get install build-essential python3',
  ],
  [
    /gyp (?:ERR|http)[^\n]*(?:headers|nodejs\.org)[\s\S]*gyp ERR!/,
    'a native module is compiled when it is installed, and the headers of Node.js cannot be downloaded; name a folder that has them in include/node with: npm_config_nodedir=FOLDER',
  ],
  [
    /Failed to replace env in config: \$\{(\w+)\}/,
    'the file .npmrc takes $1 from the environment, and it is not set there',
  ],
  [
    /\b(?:E401|E403|ENEEDAUTH|ERR_PNPM_FETCH_40[13]|YN0041|401 Unauthorized|403 Forbidden)\b/,
    'the registry wants credentials; write them into .npmrc (//REGISTRY/:_authToken=${NPM_TOKEN}), they are in no layer of the image',
  ],
]

const noAnswer =
  /\b(?:ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ERR_PNPM_META_FETCH_FAIL|ERR_SOCKET_TIMEOUT)\b/
/** What is not there once a package manager may ask nobody. */
const notKept = /\b(?:ENOTCACHED|ERR_PNPM_NO_OFFLINE_\w+|YN0080)\b/

/**
 * @param output what the command printed
 * @param silent registries that were asked in vain before, so that it may ask nobody
 */
export function explainFailure(output: string, silent?: readonly string[]): string | undefined {
  for (const [pattern, advice] of causes) {
    const match = pattern.exec(output)
    if (match !== null) return advice.replace('$1', match[1] ?? '')
  }
  if (!noAnswer.test(output) && (silent === undefined || !notKept.test(output))) return undefined
  const asked = silent ?? /request to '?(https?:\/\/[^/\s]+)|\b(https?:\/\/[^/\s]+)/i.exec(output)?.slice(1) ?? []
  const named = asked.filter(url => url !== undefined).join(' and ')
  return `the registry of packages${named === '' ? '' : ` ${named}`} cannot be reached, and not all that is needed was kept from before; check the network, the proxy, and which registry the settings name (.npmrc, .yarnrc.yml)`
}
