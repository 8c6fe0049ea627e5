/**
 * What this server fetches from addresses that others choose: clients' keys and documents, logout calls. https only, no
 * redirects, small, soon, and only from the public internet, unless the operator names the host.
 *
 * @see [RFC 9700 §4.16](https://www.rfc-editor.org/rfc/rfc9700#section-4.16)
 * @see [Client ID Metadata Document §6.5](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document#section-6.5)
 */
import { Resolver } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Config } from '../../config/schema.ts'
import { isPublicAddress, literalAddress } from '../protocol/public_address.ts'

const SECOND = 1000
const MAX_AT_ONCE = 64
const MAX_URL_CHARACTERS = 2048
const MAX_HEADER_BYTES = 16_384

/** Why a fetch came to nothing. For the log: what a stranger's URL leads to is none of a stranger's business. */
export class OutboundError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OutboundError'
  }
}

export interface FetchedJson {
  readonly json: unknown
  /** `Cache-Control` of the answer. */
  readonly cache_control: string | undefined
}

export interface Outbound {
  /** Fetches a JSON document. @throws {OutboundError} for anything but a 200 with one */
  getJson(url: string): Promise<FetchedJson>
  /** Posts a form; what is answered does not matter. @throws {OutboundError} for anything but a 2xx */
  postForm(url: string, form: Readonly<Record<string, string>>): Promise<void>
  /** Posts a security event token (RFC 8935 §2.1). @throws {OutboundError} when there is no answer */
  postSet(url: string, token: string): Promise<{ readonly status: number; readonly text: string }>
}

/** Finds the addresses of a host name, all of them, IPv4 and IPv6. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<string[]>

interface Fetch {
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

interface Fetched {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly text: string
}

/** @param resolve asks the DNS, unless a test knows better */
export function createOutbound(config: Config['outbound'], resolve: Resolve = askDns): Outbound {
  const allowed = new Set(config.allow.map((host) => host.toLowerCase()))
  let under_way = 0

  const exchange = async (address: string, fetch: Fetch): Promise<Fetched> => {
    const url = parseUrl(address)
    const allow = allowed.has(url.hostname) || allowed.has(`${url.hostname}:${portOf(url)}`)
    if (url.protocol !== 'https:' && !(allow && url.protocol === 'http:')) throw new OutboundError('not an https URL')
    if (under_way >= MAX_AT_ONCE) throw new OutboundError('too many fetches under way')
    under_way += 1
    const signal = AbortSignal.timeout(config.timeout_seconds * SECOND)
    try {
      const addresses = allow ? undefined : await publicAddresses(url.hostname, resolve, signal)
      return await send(url, fetch, addresses, { max_bytes: config.max_bytes, signal })
    } catch (cause) {
      if (cause instanceof OutboundError) throw cause
      if (signal.aborted) throw new OutboundError('no answer in time', { cause })
      throw new OutboundError(cause instanceof Error ? cause.message : String(cause), { cause })
    } finally {
      under_way -= 1
    }
  }

  return {
    async getJson(url) {
      const { status, headers, text } = await exchange(url, { method: 'GET', headers: { accept: 'application/json' } })
      if (status !== 200) throw new OutboundError(`answered with ${status}`)
      if (!/^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(String(headers['content-type']))) {
        throw new OutboundError('the answer is not of a JSON type')
      }
      const { 'cache-control': cache_control } = headers
      return { json: parseJson(text), cache_control: [cache_control].flat().join(', ') || undefined }
    },
    async postForm(url, form) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const { status } = await exchange(url, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
      if (status < 200 || status > 299) throw new OutboundError(`answered with ${status}`)
    },
    postSet(url, body) {
      const headers = { 'content-type': 'application/secevent+jwt', accept: 'application/json' }
      return exchange(url, { method: 'POST', headers, body })
    },
  }
}

function parseUrl(address: string): URL {
  const url = address.length > MAX_URL_CHARACTERS ? null : URL.parse(address)
  if (url === null) throw new OutboundError('not a URL')
  if (url.username !== '' || url.password !== '') throw new OutboundError('the URL holds credentials')
  return url
}

function portOf({ port, protocol }: URL): string {
  if (port !== '') return port
  return protocol === 'https:' ? '443' : '80'
}

/** A connection's lookup is not called for an address in a URL, so such a one is checked here like any other. */
async function publicAddresses(hostname: string, resolve: Resolve, signal: AbortSignal): Promise<string[]> {
  const literal = literalAddress(hostname)
  const addresses = literal === undefined ? await resolve(hostname, signal) : [literal]
  if (addresses.length === 0) throw new OutboundError('the host has no address')
  // All of them: a name that also leads inside is not to be tried until it does.
  if (!addresses.every(isPublicAddress)) throw new OutboundError('the host is not on the public internet')
  return addresses
}

/** @param addresses where the host has been found to be; undefined: wherever it is */
async function send(
  url: URL,
  { method, headers, body }: Fetch,
  addresses: readonly string[] | undefined,
  { max_bytes, signal }: { max_bytes: number; signal: AbortSignal },
): Promise<Fetched> {
  // Loaded by the first fetch: it takes 25 MB, which a server that fetches nothing does without.
  const { Client } = await import('undici')
  // A connection of its own: the addresses that were checked are the ones connected to, and nothing is shared.
  const client = new Client(url.origin, {
    connect: { ...(addresses === undefined ? {} : { lookup: pinnedTo(addresses) }), autoSelectFamily: true },
    allowH2: false,
    maxResponseSize: max_bytes,
    maxHeaderSize: MAX_HEADER_BYTES,
  })
  try {
    const answer = await client.request({
      method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, 'user-agent': 'gatehouse' },
      body: body ?? null,
      signal,
    })
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() }
  } finally {
    await client.destroy()
  }
}

function pinnedTo(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_hostname, { all }, callback) => {
    const [first] = found
    if (all === true || first === undefined) callback(null, found)
    else callback(null, first.address, first.family)
  }
}

/** Not the system's resolver: that one waits in the threads that also sign and hash. */
async function askDns(hostname: string, signal: AbortSignal): Promise<string[]> {
  const resolver = new Resolver({ tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new OutboundError('the answer is not JSON', { cause })
  }
}
