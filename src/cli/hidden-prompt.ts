// Asks for a value on a terminal without showing it.
import { CommandFailure } from './output.ts'

export interface PromptTerminal {
  readonly input: Pick<NodeJS.ReadStream, 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>
  readonly output: Pick<NodeJS.WriteStream, 'write'>
}

const interrupted = 130

/** @throws CommandFailure for Ctrl-C and Ctrl-D */
export function hiddenPrompt(question: string, { input, output }: PromptTerminal): Promise<string> {
  input.setRawMode(true)
  output.write(question)
  return new Promise<string>((resolve, reject) => {
    let typed: string[] = []
    const end = (finish: () => void): void => {
      input.off('data', take)
      input.setRawMode(false)
      input.pause()
      output.write('\n')
      finish()
    }
    const take = (data: Buffer | string): void => {
      for (const character of data.toString()) {
        if (character === '\r' || character === '\n') return end(() => resolve(typed.join('')))
        if (character === '\u0003' || character === '\u0004')
          return end(() => reject(new CommandFailure('interrupted; nothing was changed', interrupted)))
        if (character === '\u007F' || character === '\b') typed.pop()
        else if (character === '\u0015') typed = []
        else typed.push(character)
      }
    }
    input.on('data', take)
    input.resume()
  })
}
