// What an instance may do: `security`.
import { flag, wholeNumber } from './field-values.ts'
import type { Fields, Text } from './field.ts'
import { inSecurity } from './foreign-names.ts'

// As the kernel names them, without CAP_.
const capabilities = (
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH ' +
  'FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN ' +
  'NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT ' +
  'SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM'
).split(' ')

const capability: Text = {
  type: 'text',
  pattern: new RegExp(`^(?:${capabilities.join('|')})$`),
  expected: 'a capability of Linux such as NET_BIND_SERVICE',
  meant: text => capabilities.find(known => known === text.toUpperCase().replace(/^CAP_/, '').replaceAll('-', '_')),
}

export const security: Fields = {
  type: 'object',
  fields: {
    root: { is: flag, about: 'may run as root; by default it may not' },
    user: {
      is: wholeNumber(0, 2_147_483_647, 'the number of a user'),
      about: 'number of the user it runs as; by default as the image says',
    },
    capabilities: {
      is: { type: 'list', items: capability, unique: true },
      about: 'what it may do beyond; by default nothing',
    },
    readOnlyRoot: { is: flag, about: 'its own file system cannot be written' },
  },
  foreign: inSecurity,
}
