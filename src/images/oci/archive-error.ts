/** An archive cannot be read or written; the message says why, and what to do. */
export class ArchiveError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ArchiveError'
  }
}
