// How commands speak to people: steps with their times, a spinner only where somebody watches, plain
// lines elsewhere, and errors as one sentence.

export class Output {
  private readonly stream: NodeJS.WriteStream
  private readonly animated: boolean
  private readonly startMs: number
  private spinner: NodeJS.Timeout | undefined

  /** @param startMs epoch milliseconds from which times count, e.g. when the command was typed */
  constructor(stream: NodeJS.WriteStream = process.stderr, startMs = performance.timeOrigin) {
    this.stream = stream
    this.startMs = startMs
    this.animated = stream.isTTY && process.env['TERM'] !== 'dumb'
  }

  /** Says what is being waited for, where somebody watches. */
  working(text: string): void {
    this.quiet()
    if (!this.animated) return
    const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
    let turn = 0
    const draw = (): void => void this.stream.write(`\r\u001B[2K${frames[turn++ % frames.length]} ${text}`)
    draw()
    this.spinner = setInterval(draw, 80)
    this.spinner.unref()
  }

  /** A step is done; the time since the start stands behind it. */
  done(text: string, atMs = performance.timeOrigin + performance.now()): void {
    this.quiet()
    this.stream.write(
      `${this.animated ? '\u001B[32m✓\u001B[0m' : '✓'} ${text.padEnd(44)} ${((atMs - this.startMs) / 1000).toFixed(2)} s\n`,
    )
  }

  line(text = ''): void {
    this.quiet()
    this.stream.write(`${text}\n`)
  }

  warn(text: string): void {
    this.quiet()
    this.stream.write(`${this.animated ? '\u001B[33mwarning:\u001B[0m' : 'warning:'} ${text}\n`)
  }

  error(text: string): void {
    this.quiet()
    this.stream.write(`${this.animated ? '\u001B[31merror:\u001B[0m' : 'error:'} ${text}\n`)
  }

  /** Takes the spinner away. */
  quiet(): void {
    if (this.spinner === undefined) return
    clearInterval(this.spinner)
    this.spinner = undefined
    this.stream.write('\r\u001B[2K')
  }
}

/** An expected failure: printed as one sentence, without a stack. */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message)
    this.name = 'CommandFailure'
    this.exitCode = exitCode
  }
}
