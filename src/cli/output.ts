// How commands speak to people: steps with their times, a spinner only where somebody watches, plain
// lines elsewhere (and only about what takes longer than a second), and errors as one sentence.

const patienceMs = 1_000

export class Output {
  private readonly stream: NodeJS.WriteStream
  private readonly animated: boolean
  private readonly startMs: number
  private spinner: NodeJS.Timeout | undefined
  /** What goes on, where nobody watches a spinner: a line once it has taken a second. */
  private wait: { text: string; readonly timer: NodeJS.Timeout } | undefined
  private lastWait = ''

  /** @param startMs epoch milliseconds from which times count, e.g. when the command was typed */
  constructor(stream: NodeJS.WriteStream = process.stderr, startMs = performance.timeOrigin) {
    this.stream = stream
    this.startMs = startMs
    this.animated = stream.isTTY && process.env['TERM'] !== 'dumb'
  }

  /** Says what is being waited for. */
  working(text: string): void {
    if (!this.animated) return this.workingPlainly(text)
    this.quiet()
    const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
    let turn = 0
    const draw = (): void =>
      void this.stream.write(`\r\u001B[2K${frames[turn++ % frames.length]} ${fitting(text, this.stream.columns - 2)}`)
    draw()
    this.spinner = setInterval(draw, 80)
    this.spinner.unref()
  }

  private workingPlainly(text: string): void {
    if (this.wait !== undefined) this.wait.text = text
    else if (text !== this.lastWait) this.wait = { text, timer: setTimeout(() => this.tellWait(), patienceMs).unref() }
  }

  private tellWait(): void {
    this.lastWait = this.wait!.text
    this.wait = undefined
    this.stream.write(`… ${this.lastWait}\n`)
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
    clearTimeout(this.wait?.timer)
    this.wait = undefined
    if (this.spinner === undefined) return
    clearInterval(this.spinner)
    this.spinner = undefined
    this.stream.write('\r\u001B[2K')
  }
}

/** A line that goes on in the next one could not be taken away. */
function fitting(text: string, columns: number): string {
  const [line = ''] = text.split('\n', 1)
  return line.length > columns && columns > 0 ? `${line.slice(0, columns - 1)}…` : line
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
