/** Fetches what an issuer publishes, within limits. */
import { isSafe, type Settings } from './options.ts'

export interface Wanted {
  readonly accept: string
  readonly max_bytes: number
  /** Past caches on the way. */
  readonly no_cache?: boolean
}

export interface Fetched {
  readonly text: string
  readonly headers: Headers
}

export interface Documents {
  /** @throws when there is no document: the network, a status that is no success, too long, too large */
  fetch(url: string, wanted: Wanted): Promise<Fetched>
  /** Ends what is on its way. */
  close(): void
}

/** For so long after a failure nobody waits to see whether there will be another. */
export const KNOWN_DOWN_SECONDS = 30

/** The answer came, and is not the document. */
export class NoDocument extends Error {}

export function documents({ issuer, fetch, timeout_seconds }: Settings): Documents {
  const closing = new AbortController()
  return {
    async fetch(url, { accept, max_bytes, no_cache = false }) {
      if (!isSafe(url, issuer)) throw new NoDocument(`${url} is not https`)
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeout_seconds * 1_000)])
      const headers = { accept, ...(no_cache ? { 'cache-control': 'no-cache' } : {}) }
      // Where it leads is fixed: a redirect would lead past the rule above.
      const response = await fetch(url, { headers, redirect: 'manual', signal })
      if (!response.ok) {
        await response.body?.cancel()
        throw new NoDocument(`${url} answered ${response.status}`)
      }
      const bytes = await readAll(response.body, max_bytes)
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), headers: response.headers }
    },
    close() {
      closing.abort(new Error('the verifier is closed'))
    },
  }
}

/** @throws when it is longer than max_bytes; the rest is not read */
export async function readAll(
  body: ReadableStream<Uint8Array> | null,
  max_bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body?.getReader()
  while (reader !== undefined) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.byteLength
    if (length > max_bytes) {
      await reader.cancel()
      throw new NoDocument(`longer than ${max_bytes} bytes`)
    }
    chunks.push(value)
  }
  const all = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.byteLength
  }
  return all
}

/**
 * How long an answer may be kept (RFC 9111 §4.2.1), within bounds.
 *
 * @returns seconds
 */
export function lifetimeOf(headers: Headers, { least, most, otherwise }: Bounds): number {
  const control = headers.get('cache-control') ?? ''
  if (/\bno-(?:store|cache)\b/i.test(control)) return least
  const max_age = /\bmax-age="?(\d{1,10})/i.exec(control)?.[1]
  if (max_age === undefined) return otherwise
  const age = /^\d{1,10}$/.exec(headers.get('age') ?? '')?.[0] ?? '0'
  return Math.min(most, Math.max(least, Number(max_age) - Number(age)))
}

export interface Bounds {
  readonly least: number
  readonly most: number
  /** When nothing is said. */
  readonly otherwise: number
}
