/** Why no image can be made of a folder: what was expected, what was found, what to do. */
export class BuildError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BuildError'
  }
}
