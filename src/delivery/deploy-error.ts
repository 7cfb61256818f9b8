// What a delivery fails with: sentences for whoever gave the command.

export class DeployError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DeployError'
  }
}

/** Why a delivery is to stop and to be undone: the reason of the signal that says so. */
export class Interruption extends Error {
  /** @param by what asked for it, such as `Ctrl-C` */
  constructor(by: string) {
    super(`interrupted by ${by}`)
    this.name = 'Interruption'
  }
}
