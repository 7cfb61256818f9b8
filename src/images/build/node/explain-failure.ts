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
  [
    /\b(?:ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ERR_PNPM_META_FETCH_FAIL|ERR_SOCKET_TIMEOUT)\b/,
    'the registry of packages cannot be reached; check the network, and "registry" in .npmrc',
  ],
]

/** @param output what the command printed */
export function explainFailure(output: string): string | undefined {
  for (const [pattern, advice] of causes) {
    const match = pattern.exec(output)
    if (match !== null) return advice.replace('$1', match[1] ?? '')
  }
  return undefined
}
