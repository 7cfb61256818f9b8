import { describe, expect, test } from 'vitest'
import { serviceUnitText, type ServiceUnit } from './service-unit.ts'

const unit: ServiceUnit = {
  cluster: 'sampan',
  program: '/usr/local/bin/sampan',
  upArguments: ['--name', 'sampan', '--api-port', '7443'],
  dataDirectory: '/var/lib/sampan/sampan',
  pidFile: '/run/sampan/sampan/server.pid',
  stopSeconds: 60,
  needsNetwork: false,
  environment: {},
}
const lines = (changes: Partial<ServiceUnit>): string[] => serviceUnitText({ ...unit, ...changes }).split('\n')
const line = (start: string, changes: Partial<ServiceUnit> = {}): string | undefined =>
  lines(changes).find(one => one.startsWith(start))

describe('the unit', () => {
  test('starts the cluster with its options, and stops it with the grace of its pods', () => {
    expect(line('ExecStart=')).toBe('ExecStart=/usr/local/bin/sampan up --service --name sampan --api-port 7443')
    expect(line('ExecStop=')).toBe(
      'ExecStop=/usr/local/bin/sampan down --service --name sampan --data-dir /var/lib/sampan/sampan --timeout 60',
    )
    expect(line('TimeoutStopSec=')).toBe('TimeoutStopSec=120')
    expect(lines({})).toEqual(
      expect.arrayContaining([
        'Type=forking',
        'PIDFile=/run/sampan/sampan/server.pid',
        'Slice=sampan.slice',
        'Restart=on-failure',
        'WantedBy=multi-user.target',
        'RequiresMountsFor=/var/lib/sampan/sampan',
      ]),
    )
  })

  test('waits for the network only where others are asked', () => {
    expect(line('Wants=')).toBeUndefined()
    expect(line('Wants=', { needsNetwork: true })).toBe('Wants=network-online.target')
  })

  test.each([
    ['blanks', 'a b', '"a b"'],
    ['nothing', '', '""'],
    ['quotes and backslashes', 'a"b\\', String.raw`"a\"b\\"`],
    ['specifiers', '100%', '100%%'],
    ['variables', '$HOME', '"$$HOME"'],
    ['lines', 'a\nb', '"a\\nb"'],
    ['other signs', "it's;&|", `"it's;&|"`],
  ])('gives arguments as they are: %s', (_name, argument, written) => {
    expect(line('ExecStart=', { upArguments: [argument] })).toBe(
      `ExecStart=/usr/local/bin/sampan up --service ${written}`,
    )
  })

  test('sets variables, in which a dollar is nothing special', () => {
    expect(line('Environment=', { environment: { KUBECONFIG: '/root/my $HOME/config' } })).toBe(
      'Environment="KUBECONFIG=/root/my $HOME/config"',
    )
  })
})
