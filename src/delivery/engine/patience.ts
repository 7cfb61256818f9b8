// How whoever asks an engine for something waits for as long as the engine itself does not answer for a moment.
export interface Patience {
  /** What is waited for, told at every change. */
  readonly progress: (text: string) => void
  /** Ends the wait with the signal's reason. */
  readonly signal: AbortSignal
}
