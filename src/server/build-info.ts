// Which commit this program was built from, and when. scripts/build.ts puts it into the bundle; sources that
// run as they are do not know.

declare const sampanBuild: { readonly commit: string; readonly date: string } | undefined

export const buildInfo =
  typeof sampanBuild === 'undefined' ? { commit: '0'.repeat(40), date: '1970-01-01T00:00:00Z' } : sampanBuild
