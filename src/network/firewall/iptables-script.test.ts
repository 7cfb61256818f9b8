import { describe, expect, test } from 'vitest'
import { acceptScript, deniesIncoming, removalScript } from './iptables-script.ts'

const facts = { linkName: 'sampan42', podCidr: '10.42.0.0/16', nodeAddress: '10.42.255.254' }

/** As `iptables -S` lists it: policies, chains, rules. */
const listing = (...lines: string[]): string => `${lines.join('\n')}\n`
const open = ['-P INPUT ACCEPT', '-P FORWARD ACCEPT', '-P OUTPUT ACCEPT']
const docker = [
  '-P INPUT ACCEPT',
  '-P FORWARD DROP',
  '-P OUTPUT ACCEPT',
  '-N DOCKER',
  '-N DOCKER-USER',
  '-A FORWARD -j DOCKER-USER',
  '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A FORWARD -o docker0 -j DOCKER',
  '-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT',
  '-A DOCKER-USER -j RETURN',
]
const ufw = [
  '-P INPUT DROP',
  '-P FORWARD DROP',
  '-P OUTPUT ACCEPT',
  '-N ufw-before-input',
  '-N ufw-not-local',
  '-N ufw-reject-input',
  '-A INPUT -j ufw-before-input',
  '-A INPUT -j ufw-reject-input',
  '-A ufw-before-input -i lo -j ACCEPT',
  '-A ufw-before-input -j ufw-not-local',
  '-A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN',
  '-A ufw-not-local -j DROP',
]
const forwardRules = [
  '-A sampan42-forward -s 10.42.0.0/16 -i veth+ -j ACCEPT',
  '-A sampan42-forward -d 10.42.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
]

/** Lines of the script that are about entering our chain from another one. */
const entries = (script: string): string[] => script.split('\n').filter(line => /^-[ID] [A-Z]+ /.test(line))

describe('what is added', () => {
  test('is nothing where nothing is denied', () => {
    expect(acceptScript(listing(...open), facts)).toBe('')
    expect(acceptScript(listing(...open, '-A FORWARD -s 192.0.2.1/32 -j DROP'), facts)).toBe('')
  })

  test('lets pods out, answers in, and what is for services in, where a policy denies, at the end', () => {
    expect(acceptScript(listing(...docker), facts)).toBe(
      listing(
        '*filter',
        ':sampan42-forward - [0:0]',
        ...forwardRules,
        '-A sampan42-forward -d 10.42.0.0/16 -m conntrack --ctstate DNAT -j ACCEPT',
        '-I FORWARD 4 -j sampan42-forward',
        'COMMIT',
      ),
    )
  })

  test('lets pods reach names and the API, but others no node port, where what comes in is denied', () => {
    const script = acceptScript(listing(...ufw), facts)
    expect(script).toContain(
      listing(
        ':sampan42-input - [0:0]',
        '-A sampan42-input -s 10.42.0.0/16 -i veth+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A sampan42-input -s 10.42.0.0/16 -i veth+ -d 10.42.255.254 -m conntrack --ctstate DNAT -j ACCEPT',
        '-I INPUT 3 -j sampan42-input',
      ),
    )
    expect(script).toContain(listing(':sampan42-forward - [0:0]', ...forwardRules, '-I FORWARD 1 -j sampan42-forward'))
    expect(deniesIncoming(listing(...ufw))).toBe(true)
    expect(deniesIncoming(listing(...docker))).toBe(false)
  })

  test.each<[string, string[], string[]]>([
    [
      'before a rule that denies everything',
      [...open, '-A FORWARD -i eth1 -j DROP', '-A FORWARD -j REJECT --reject-with icmp-host-prohibited'],
      ['-I FORWARD 2 -j sampan42-forward'],
    ],
    [
      'before a chain that denies everything',
      [...ufw, '-A ufw-reject-input -j REJECT --reject-with icmp-port-unreachable'],
      ['-I FORWARD 1 -j sampan42-forward', '-I INPUT 2 -j sampan42-input'],
    ],
    [
      'after a chain that denies what it did not let return',
      ufw,
      ['-I FORWARD 1 -j sampan42-forward', '-I INPUT 3 -j sampan42-input'],
    ],
    [
      'once, where it stood behind',
      [...open, '-N sampan42-forward', '-A FORWARD -j DROP', '-A FORWARD -j sampan42-forward', ...forwardRules],
      ['-D FORWARD -j sampan42-forward', '-I FORWARD 1 -j sampan42-forward'],
    ],
    [
      'where it stood, when its rules are not whole',
      ['-P FORWARD DROP', '-N sampan42-forward', '-A FORWARD -i eth1 -j DROP', '-A FORWARD -j sampan42-forward'],
      ['-D FORWARD -j sampan42-forward', '-I FORWARD 2 -j sampan42-forward'],
    ],
    [
      'also where the machine may not send',
      ['-P INPUT ACCEPT', '-P FORWARD ACCEPT', '-P OUTPUT DROP'],
      ['-I OUTPUT 1 -j sampan42-output'],
    ],
  ])('is entered %s', (_where, lines, expected) => {
    expect(entries(acceptScript(listing(...lines), facts))).toEqual(expected)
  })

  test('is not added twice, and taken away with what made it necessary', () => {
    const rules = [
      ...forwardRules,
      '-A sampan42-forward -d 10.42.0.0/16 -m conntrack --ctstate DNAT -j ACCEPT',
      '-A FORWARD -j sampan42-forward',
    ]
    expect(acceptScript(listing(...docker, '-N sampan42-forward', ...rules), facts)).toBe('')
    expect(acceptScript(listing(...open, '-N sampan42-forward', ...rules), facts)).toBe(
      '*filter\n-D FORWARD -j sampan42-forward\n-F sampan42-forward\n-X sampan42-forward\nCOMMIT\n',
    )
  })
})

test('what is taken away is ours alone', () => {
  expect(removalScript(listing(...docker), 'sampan42')).toBe('')
  const ours = ['-N sampan42-input', '-N sampan44-input', '-A INPUT -j sampan44-input', '-A INPUT -j sampan42-input']
  expect(removalScript(listing(...docker, ...ours), 'sampan42')).toBe(
    '*filter\n-D INPUT -j sampan42-input\n-F sampan42-input\n-X sampan42-input\nCOMMIT\n',
  )
})
