// One value from a Prometheus, or from anything that speaks its query API.
import { DeployError } from '../deploy-error.ts'

const answerMs = 10_000

interface Answer {
  readonly status: string
  readonly error?: string
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

/** @param base URL without `/api/v1` @returns undefined when the expression has no value, or none that is a number */
export async function queryPrometheus(base: string, expression: string): Promise<number | undefined> {
  const url = `${base.replace(/\/$/, '')}/api/v1/query?query=${encodeURIComponent(expression)}`
  let answer: Answer
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) })
    answer = (await response.json()) as Answer
  } catch (error) {
    throw new DeployError(
      `Prometheus at ${base} does not answer: ${reasonOf(error as Error)}; look at it, or correct \`prometheus\` in sampan.yml`,
    )
  }
  if (answer.status !== 'success' || answer.data === undefined)
    throw new DeployError(`Prometheus does not understand "${expression}": ${answer.error ?? 'no reason given'}`)
  const value = Number(textOf(answer.data))
  return Number.isNaN(value) ? undefined : value
}

/** `fetch failed` tells nobody anything. */
const reasonOf = ({ message, cause }: Error): string => (cause instanceof Error && cause.message) || message

/** Of a scalar, or of the first series of a vector. */
function textOf({ resultType, result }: NonNullable<Answer['data']>): unknown {
  if (resultType === 'scalar') return (result as [number, string])[1]
  return (result as { value: [number, string] }[])[0]?.value[1]
}
