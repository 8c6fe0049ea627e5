import type { FastifyReply } from 'fastify'
import { readPoll, type SignalStream } from '../protocol/shared_signals.ts'
import { signSignal } from '../tokens/signals.ts'
import type { EndpointDeps } from './endpoint.ts'

const LOOK_EVERY_MILLISECONDS = 500
/** Polls that one node holds; whoever comes beyond them is answered at once. */
const MOST_HELD = 1000

export interface SignalPolling {
  /**
   * @param body JSON of anybody's
   * @param response whoever has hung up waits for nothing
   * @throws {OAuthError} `invalid_request`
   */
  answer(stream: SignalStream, body: unknown, response: FastifyReply['raw']): Promise<object>
  /** Answers everybody who waits. */
  close(): void
}

/**
 * Hands out events, and waits for one if there is none and the receiver does not mind.
 *
 * @see [RFC 8936 §2](https://www.rfc-editor.org/rfc/rfc8936#section-2)
 */
export function createSignalPolling(deps: EndpointDeps): SignalPolling {
  const { store, clock, config } = deps
  /** One poll of a stream is held. A second one of it is answered at once. */
  const held = new Set<string>()
  const closing = new AbortController()

  async function eventsOf({ stream_id, status }: SignalStream, most: number) {
    if (status !== 'enabled') return { sets: {}, moreAvailable: false }
    const waiting = await store.listWaitingSignals(stream_id, most + 1)
    const signed = waiting.slice(0, most).map(async (signal) => [signal.jti, await signSignal(deps, signal)] as const)
    return { sets: Object.fromEntries(await Promise.all(signed)), moreAvailable: waiting.length > most }
  }

  /** Until something waits in the stream, or `gone`, or as long as a poll is held. */
  async function hold({ stream_id, status }: SignalStream, gone: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([gone, closing.signal])
    const ended = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    const until = performance.now() + config.shared_signals.poll_wait_seconds * 1000
    while (!signal.aborted && performance.now() < until) {
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MILLISECONDS))])
      // A paused stream hands out nothing, however much waits in it.
      if (status === 'enabled' && (await store.countWaitingSignals(stream_id, 1)) > 0) return
    }
  }

  return {
    async answer(stream, body, response) {
      const { maxEvents, returnImmediately, settled } = readPoll(body)
      const { stream_id } = stream
      const now = clock.now()
      await store.settleSignals(
        settled.map(({ jti, error }) => ({ jti, stream_id, settled_at: now, next_attempt_at: now, last_error: error })),
      )
      const events = await eventsOf(stream, maxEvents)
      const found = Object.keys(events.sets).length > 0
      if (found || returnImmediately || maxEvents === 0 || held.has(stream_id) || held.size >= MOST_HELD) return events
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      held.add(stream_id)
      try {
        await hold(stream, gone.signal)
      } finally {
        held.delete(stream_id)
      }
      // Meanwhile it may have been disabled, or deleted.
      const after = await store.findSignalStream(stream_id)
      return after === undefined ? events : eventsOf(after, maxEvents)
    },
    close() {
      closing.abort()
    },
  }
}
