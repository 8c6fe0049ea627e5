/** HTTP exchanges, as a person reads them. */
import type { DecodedToken, DemoStep } from '../../web/pages/demo.ts'

/** A request of the demo's. */
export interface Sent {
  readonly method: 'GET' | 'POST'
  /** Absolute. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

export interface Received {
  readonly status: number
  readonly body: string
}

/** @param words what the step is called, and what it is for */
export function describeExchange(
  words: Pick<DemoStep, 'title' | 'about'>,
  sent: Sent,
  { status, body }: Received,
): DemoStep {
  return {
    ...words,
    request: requestText(sent),
    curl: curlLine(sent),
    response: `HTTP ${status}\n\n${body === '' ? '(no body)' : prettyJson(body)}`,
    tokens: tokensIn(body),
  }
}

function requestText({ method, url, headers = {}, form }: Sent): string {
  const { host, pathname, search } = new URL(url)
  const body = form === undefined ? '' : `\n\n${new URLSearchParams(form).toString().replaceAll('&', '\n&')}`
  const lines = Object.entries(headers).map(([name, value]) => `\n${name}: ${value}`)
  return `${method} ${pathname}${search.replaceAll('&', '\n  &')}\nHost: ${host}${lines.join('')}${body}`
}

/** The same request for a shell: pasted, it works as long as what it shows is good. */
export function curlLine({ url, headers = {}, form = {} }: Sent): string {
  const parts = [
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...Object.entries(form).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`),
  ]
  return ['curl -sS', quoted(url), ...parts].join(' ')
}

/** POSIX Shell §2.2.2: between single quotes nothing has a meaning but the next one. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function prettyJson(body: string): string {
  const json = parse(body)
  return json === undefined ? body : JSON.stringify(json, null, 2)
}

function tokensIn(body: string): DecodedToken[] {
  const json = parse(body)
  return ['access_token', 'id_token'].flatMap((name) => {
    const token = memberOf(json, name)
    return token === undefined ? [] : decode(name, token)
  })
}

/** RFC 7519 §3: header and payload are JSON for everybody to read. */
function decode(name: string, token: string): DecodedToken[] {
  const [header, payload] = token.split('.').map((part) => parse(Buffer.from(part, 'base64url').toString()))
  if (header === undefined || payload === undefined) return []
  return [{ name, header: JSON.stringify(header, null, 2), payload: JSON.stringify(payload, null, 2) }]
}

/** A member that is text. */
export function memberOf(json: unknown, name: string): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const value: unknown = Reflect.get(json, name)
  return typeof value === 'string' ? value : undefined
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
