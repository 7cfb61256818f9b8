// How the server's process is run: what Node.js and the C library are told at its start.

/** A larger young generation costs idle memory and a smaller one copies more under load; see also host/spare-memory.ts. */
export const serverFlags: readonly string[] = ['--max-semi-space-size=8', '--enable-source-maps']

/** The C library gives freed buffers back at once instead of keeping what an image upload once needed. */
export const serverEnvironment: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '65536',
}
