// Who asks while the answer to the same question is on its way gets that answer. For what nobody here changes: an answer
// may be as old as the question that was asked first.
export class InFlight {
  private readonly answers = new Map<unknown, Promise<unknown>>()

  /** @param question the same one, by identity, has the same answer */
  ask<Answer>(question: unknown, ask: () => Promise<Answer>): Promise<Answer> {
    const there = this.answers.get(question)
    if (there !== undefined) return there as Promise<Answer>
    const answer = ask().finally(() => this.answers.delete(question))
    this.answers.set(question, answer)
    return answer
  }
}
