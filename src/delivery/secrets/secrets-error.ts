// What is wrong with secrets: with their files, their readers, or whoever asks. Messages never hold a value.

export class SecretsError extends Error {
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'))
    this.name = 'SecretsError'
    this.mistakes = mistakes
  }
}
