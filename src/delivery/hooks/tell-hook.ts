// Tells a hook: an HTTP POST with the news as JSON. One that does not answer is asked again; the URL, which may hold a
// token, stands in no message.
import type { Clock } from '../../lib/clock.ts'
import { pause } from '../engine/pause.ts'
import type { News } from '../execution/world.ts'

const attempts = 3
const answerMs = 10_000

/** @param delaysMs before each further attempt @throws with what it answered */
export async function tellHook(url: string, news: News, clock: Clock, delaysMs = [500, 2_000]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failure = await post(url, news)
    if (failure === undefined) return
    if (attempt === attempts || !failure.passing) throw new Error(failure.reason)
    await pause(clock, delaysMs[attempt - 1] ?? 0, new AbortController().signal)
  }
}

interface HookFailure {
  readonly reason: string
  /** It may work a moment later. */
  readonly passing: boolean
}

async function post(url: string, news: News): Promise<HookFailure | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...news, text: sentenceOf(news) }),
      signal: AbortSignal.timeout(answerMs),
    })
    await response.body?.cancel()
    if (response.ok) return undefined
    return { reason: `it answered ${response.status} ${response.statusText}`, passing: response.status >= 500 }
  } catch (error) {
    const { message, name, cause } = error as Error & { cause?: { code?: string; message?: string } }
    if (name === 'TimeoutError') return { reason: `it did not answer within ${answerMs / 1000} seconds`, passing: true }
    return {
      reason: cause?.code ?? (message.includes(url) ? 'its URL is none' : (cause?.message ?? message)),
      passing: cause?.code !== undefined,
    }
  }
}

/** Chat programs show this field. */
function sentenceOf({ event, service, version, environment, by, reason }: News): string {
  switch (event) {
    case 'deployed':
      return `${service} ${version} runs in ${environment} (${by})`
    case 'failed':
      return `${service} ${version} was not delivered to ${environment} (${by}): ${reason}`
    case 'undone':
      return `${service} ${version} was taken back from ${environment} (${by})`
  }
}
