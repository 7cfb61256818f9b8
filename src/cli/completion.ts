// Shell completion: `sampan completion bash|zsh|fish` prints a script, and that script asks
// `sampan completion-candidates -- WORD...` what may stand where the last word is. What it is asked is told from the
// commands themselves, so nothing is listed twice.
import { parse } from 'yaml'
import { kubeconfigPaths, readKubeconfig } from '../client/kubeconfig.ts'
import { environmentsOf, openManifest } from '../delivery/manifest/read-manifest.ts'
import { servicesBelow } from './find-manifest.ts'
import { findTeam } from './find-team.ts'

export interface CommandFacts {
  readonly name: string
  readonly about: string
  readonly options: readonly OptionFacts[]
  /** Names of what stands behind the command, in order. */
  readonly operands: readonly OperandFacts[]
  /** Those below it: `set` of `secret`. */
  readonly commands?: readonly CommandFacts[]
}

export interface OperandFacts {
  readonly name: string
  readonly choices: readonly string[]
  /** The last one may stand several times. */
  readonly repeats?: boolean
}

export interface OptionFacts {
  /** `-o`, `--output` */
  readonly names: readonly string[]
  readonly about: string
  /** What has to follow, as the help calls it: `file`; undefined: nothing. */
  readonly value: string | undefined
  readonly choices: readonly string[]
}

export interface Candidate {
  readonly value: string
  readonly about: string
}

/** What the machine and the folder have to offer. */
export interface Offers {
  readonly services: () => readonly string[]
  readonly environments: () => readonly string[]
  readonly contexts: () => readonly string[]
  /** Of the schedules of a service. */
  readonly tasks: (service: string) => readonly string[]
  /** `web:1.0` of the registry. */
  readonly images: () => readonly string[]
}

/** Files are the shell's own business. */
export type Completion = readonly Candidate[] | 'files' | 'directories'

/** @param words behind `sampan`; the last one is being typed and may be empty */
export function completion(words: readonly string[], commands: readonly CommandFacts[], offers: Offers): Completion {
  const typed = words.at(-1) ?? ''
  const all = candidatesFor(words.slice(0, -1), typed, commands, offers)
  return typeof all === 'string' ? all : all.filter(({ value }) => value.startsWith(typed))
}

const plain = (values: readonly string[]): Candidate[] => values.map(value => ({ value, about: '' }))

function candidatesFor(
  before: readonly string[],
  typed: string,
  commands: readonly CommandFacts[],
  offers: Offers,
): Completion {
  const [name, ...given] = before
  if (name === undefined) return commands.map(({ name: value, about }) => ({ value, about }))
  const command = commands.find(candidate => candidate.name === name)
  if (command === undefined) return []
  if (command.commands !== undefined && command.commands.length > 0)
    return candidatesFor(given, typed, command.commands, offers)
  const optionOf = (word: string | undefined): OptionFacts | undefined =>
    command.options.find(({ names }) => word !== undefined && names.includes(word))
  const asking = optionOf(given.at(-1))
  if (asking?.value !== undefined) return valuesOf(asking, typed, offers)
  if (typed.startsWith('-'))
    return command.options.flatMap(({ names, about }) => names.slice(-1).map(value => ({ value, about })))
  const operands = given.filter(
    (word, index) => !word.startsWith('-') && optionOf(given[index - 1])?.value === undefined,
  )
  const last = command.operands.at(-1)
  const next = command.operands[operands.length] ?? (last?.repeats ? last : undefined)
  return next === undefined ? [] : operandsOf(next, operands, typed, offers)
}

function valuesOf({ names, value, choices }: OptionFacts, typed: string, offers: Offers): Completion {
  if (choices.length > 0) return plain(choices)
  if (names.includes('--environment') && value === 'names') return plain(oneMore(typed, offers.environments()))
  if (names.includes('--environment') || value === 'environment') return plain(offers.environments())
  if (names.includes('--context') || names.includes('--name')) return plain(offers.contexts())
  if (value === 'file' || value === 'path') return 'files'
  return value === 'directory' ? 'directories' : []
}

/** Behind the last comma. */
function oneMore(typed: string, all: readonly string[]): string[] {
  const chosen = typed.split(',').slice(0, -1)
  return all.filter(name => !chosen.includes(name)).map(name => [...chosen, name].join(','))
}

function operandsOf(
  { name, choices }: OperandFacts,
  before: readonly string[],
  typed: string,
  offers: Offers,
): Completion {
  if (choices.length > 0) return plain(choices)
  switch (name) {
    case 'directory':
      return 'directories'
    case 'file':
      return 'files'
    case 'image':
      return plain(offers.images().filter(image => !before.includes(image)))
    case 'image-and-file': {
      if (before.length === 0) return plain(offers.images())
      const begun = typed === '' ? [] : offers.images().filter(image => image.startsWith(typed))
      return begun.length > 0 ? plain(begun) : 'files'
    }
    case 'name:version':
      return plain(offers.services().map(service => `${service}:`))
    case 'name':
    case 'service':
    case 'service-and-name':
      return plain(offers.services())
    case 'environment':
      return plain(offers.environments())
    case 'task':
      return before.length === 1 ? plain(offers.tasks(before[0]!)) : []
    default:
      return []
  }
}

/** Of this folder and this user; what cannot be read is not offered. */
export const offersHere: Omit<Offers, 'images'> = {
  services: () => [
    ...new Set([
      ...servicesBelow(process.cwd()).map(({ name }) => name),
      ...orNone(() => Object.keys(findTeam(process.cwd())?.team.services ?? {})),
    ]),
  ],
  environments: () => [
    ...new Set([
      ...servicesBelow(process.cwd()).flatMap(({ file, text }) =>
        orNone(() => environmentsOf(openManifest(file, text))),
      ),
      ...orNone(() => Object.keys(findTeam(process.cwd())?.team.environments ?? {})),
    ]),
  ],
  contexts: () => [
    ...new Set(
      kubeconfigPaths(process.env).flatMap(path =>
        orNone(() => (readKubeconfig(path).contexts ?? []).map(({ name }) => name)),
      ),
    ),
  ],
  tasks: service =>
    servicesBelow(process.cwd())
      .filter(({ name }) => name === service)
      .flatMap(({ text }) => orNone(() => Object.keys((parse(text) as { schedules?: object }).schedules ?? {}))),
}

function orNone(read: () => string[]): string[] {
  try {
    return read()
  } catch {
    return []
  }
}

/** One candidate in a line, its description behind a tab; `:files` and `:directories` for what the shell knows better. */
export const completionLines = (found: Completion): string[] =>
  typeof found === 'string' ? [`:${found}`] : found.map(({ value, about }) => `${value}\t${about}`)

export const completionScripts: Readonly<Record<'bash' | 'zsh' | 'fish', string>> = {
  bash: `# Completion of sampan for bash. Put into ~/.bashrc: source <(sampan completion bash)
_sampan() {
  local line word begun= prefix=
  local -a words=()
  # bash takes web:1.0 for three words, and replaces the last of them.
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ $word == : && \${#words[@]} -gt 0 ]]; then words[-1]+=:; begun=1
    elif [[ -n $begun ]]; then words[-1]+=$word; begun=; prefix=1
    else words+=("$word"); prefix=
    fi
  done
  if [[ -n $begun$prefix ]]; then prefix=\${words[-1]%"\${words[-1]##*:}"}; fi
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default; return ;;
      :directories) compopt -o dirnames; return ;;
      *) line=\${line%%$'\\t'*}; COMPREPLY+=("\${line#"$prefix"}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" completion-candidates -- "\${words[@]}" 2>/dev/null)
  if [[ \${COMPREPLY[0]-} == *: ]]; then compopt -o nospace; fi
}
complete -F _sampan sampan
`,
  zsh: `#compdef sampan
# Completion of sampan for zsh. Put into ~/.zshrc, behind compinit: source <(sampan completion zsh)
_sampan() {
  local line
  local -a found suffix
  while IFS= read -r line; do
    case $line in
      :files) _files; return ;;
      :directories) _files -/; return ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" completion-candidates -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if [[ \${found[1]-} == *'\\::'* ]]; then suffix=(-S ''); fi
  _describe sampan found "\${(@)suffix}"
}
if (( $+functions[compdef] )); then compdef _sampan sampan; fi
`,
  fish: `# Completion of sampan for fish. Put into ~/.config/fish/config.fish: sampan completion fish | source
function __sampan_candidates
  set -l words (commandline -opc)
  set -l typed (commandline -ct)
  for line in ($words[1] completion-candidates -- $words[2..] "$typed" 2>/dev/null)
    switch $line
      case ':files'
        __fish_complete_path "$typed"
      case ':directories'
        __fish_complete_directories "$typed"
      case '*'
        echo $line
    end
  end
end
complete -c sampan -f -a '(__sampan_candidates)'
`,
}
