/** Hears of revocations from the issuer, as server-sent events, for as long as the verifier lives. */
import { isObject } from './access_token.ts'
import { NoDocument } from './documents.ts'
import type { IssuerMetadata } from './issuer_metadata.ts'
import type { Settings, StreamClient } from './options.ts'
import { eventReader, type ServerSentEvent } from './server_sent_events.ts'
import { referenceOf, type StatusReference } from './status_list.ts'

/** Of the waits between connections, in `reconnect_seconds`. */
const LONGEST_WAIT = 30
/** When the issuer says that we may not: it takes a person to change that. */
const REFUSED_WAIT = 60

export interface StreamEvents {
  readonly onGrantRevoked: (reference: StatusReference) => void
  readonly onTokenRevoked: (jti: string, exp: number) => void
  /** What was heard before is not complete: the lists have to be read anew. */
  readonly onReset: () => void
}

export interface RevocationStream {
  /**
   * Since when every revocation was heard of, in epoch seconds by the issuer's clock; undefined: just now nothing is
   * heard.
   */
  completeSince(): number | undefined
  close(): void
}

export function revocationStream(
  settings: Settings,
  metadata: IssuerMetadata,
  { onGrantRevoked, onTokenRevoked, onReset }: StreamEvents,
): RevocationStream {
  const { now, heartbeat_seconds, reconnect_seconds } = settings
  const closing = new AbortController()
  let last_event_id: string | undefined
  let since: number | undefined
  let is_connected = false
  let failures = 0

  async function connect(): Promise<void> {
    const dying = new AbortController()
    const signal = AbortSignal.any([closing.signal, dying.signal])
    const live = () => setTimeout(() => dying.abort(new Error('no heartbeat')), heartbeat_seconds * 1_000)
    let timer = live()
    try {
      const response = await open(signal)
      // What was missed meanwhile comes now, if the issuer knows where we were. If not, it says so by `reset`.
      const clocks_differ = (issuersClock(response.headers) ?? now()) - now()
      if (since === undefined || last_event_id === undefined) since = now() + clocks_differ
      is_connected = true
      const reader = eventReader(last_event_id)
      const decoder = new TextDecoder()
      for await (const chunk of chunksOf(response.body)) {
        clearTimeout(timer)
        timer = live()
        failures = 0
        for (const event of reader.read(decoder.decode(chunk, { stream: true }))) {
          hear(event, now() + clocks_differ)
        }
        // After the events: what broke while they were read comes again.
        last_event_id = reader.last_event_id
      }
    } finally {
      clearTimeout(timer)
      is_connected = false
    }
  }

  async function open(signal: AbortSignal): Promise<Response> {
    const url = await metadata.endpoint('revocation_stream_endpoint')
    const response = await settings.fetch(url, {
      ...(await requestOf(settings.client, last_event_id)),
      redirect: 'manual',
      signal,
    })
    if (response.ok && /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) return response
    await response.body?.cancel()
    throw new Refused(`${url} answered ${response.status}`, response.status)
  }

  function hear({ event, data }: ServerSentEvent, issuers_now: number): void {
    if (event === 'reset') {
      since = issuers_now
      onReset()
      return
    }
    if (event !== 'revocation') return
    const heard: unknown = parsedJson(data)
    if (!isObject(heard)) return
    const reference = referenceOf({ status_list: heard.status_list })
    if (typeof reference === 'object') onGrantRevoked(reference)
    if (typeof heard.jti === 'string' && typeof heard.exp === 'number') onTokenRevoked(heard.jti, heard.exp)
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      let least = 0
      try {
        await connect()
      } catch (cause) {
        if (closing.signal.aborted) return
        if (cause instanceof Refused && (cause.status === 401 || cause.status === 403)) least = REFUSED_WAIT
        settings.on_problem({ what: 'the revocation stream broke', cause })
      }
      const longest = Math.min(2 ** failures, LONGEST_WAIT) * reconnect_seconds
      failures += 1
      // Not all of its readers come back at the same moment.
      await pause(Math.max(least, longest * (0.5 + Math.random() / 2)), closing.signal)
    }
  }

  void run()
  return {
    completeSince: () => (is_connected ? since : undefined),
    close: () => closing.abort(new Error('the verifier is closed')),
  }
}

class Refused extends NoDocument {
  readonly status: number
  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

async function requestOf(client: StreamClient | undefined, last_event_id: string | undefined): Promise<RequestInit> {
  const accept = { accept: 'text/event-stream' }
  const resume = last_event_id === undefined ? {} : { 'last-event-id': last_event_id }
  if (typeof client === 'function') {
    return { method: 'POST', headers: { ...accept, ...resume }, body: new URLSearchParams(await client()) }
  }
  // RFC 6749 §2.3.1: both halves are form-encoded first.
  const encode = (text = '') => new URLSearchParams({ '': text }).toString().slice(1)
  const basic = btoa(`${encode(client?.client_id)}:${encode(client?.client_secret)}`)
  return { headers: { ...accept, ...resume, authorization: `Basic ${basic}` } }
}

async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  try {
    while (reader !== undefined) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader?.cancel().catch(() => undefined)
  }
}

function issuersClock(headers: Headers): number | undefined {
  const milliseconds = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1_000
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, seconds * 1_000)
    signal.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
