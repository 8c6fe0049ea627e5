import { CliError, reasonOf } from './exit.ts'

const TIMEOUT_SECONDS = 30

export interface HttpReply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * One request to a server of ours. It follows no redirect, so that no credential goes where nobody sent it.
 *
 * @throws {CliError} `unreachable`
 */
export async function request(url: string, init: RequestInit = {}): Promise<HttpReply> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_SECONDS * 1000)
    const response = await fetch(url, { redirect: 'manual', signal, ...init })
    return { status: response.status, headers: response.headers, text: await response.text() }
  } catch (error) {
    throw new CliError(
      'unreachable',
      `No answer from ${new URL(url).origin} (${reasonOf(error)}).`,
      'Start the server with `gatehouse serve`, or correct the address: --issuer, or --url.',
      { cause: error },
    )
  }
}

export function formRequest(
  parameters: Readonly<Record<string, string>> | URLSearchParams,
  authorization?: string,
): RequestInit {
  const body = new URLSearchParams(parameters).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  return { method: 'POST', body, headers: authorization === undefined ? headers : { ...headers, authorization } }
}

export function jsonRequest(body: object): RequestInit {
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  return { method: 'POST', body: JSON.stringify(body), headers }
}

// RFC 6749 §2.3.1: id and secret are form-encoded before they are joined.
export function basicAuthorization(client_id: string, client_secret: string): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(client_id)}:${encode(client_secret)}`).toString('base64')}`
}

/**
 * The URL of a server to send credentials to, without a slash at its end.
 *
 * @throws {CliError} unless it is https, or http on loopback
 */
export function serverUrl(text: string): string {
  const url = URL.parse(text)
  const loopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && loopback)) {
    throw new CliError(
      'usage',
      `${text} is not an https URL.`,
      'Plain http is for this machine only: http://localhost:3000',
    )
  }
  return text.replace(/\/+$/, '')
}
