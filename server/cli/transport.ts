import { CliError, type Failure } from './exit.ts'
import { instant } from './output.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** The admin API, wherever it runs. Its checks and its audit trail are the same for both transports. */
export interface AdminApi {
  readonly issuer: string
  /** @param path below `/admin/api/` */
  send(method: Method, path: string, body?: object): Promise<Reply>
  close(): Promise<void>
}

/** What a transport got: a status, and a body that is JSON unless something else answers at this address. */
export interface Reply {
  readonly status: number
  readonly text: string
  readonly retry_after?: string | null
}

/**
 * Does one thing through the admin API.
 *
 * @returns the body of a 2xx answer; undefined when it has none
 * @throws {CliError} for anything else
 */
export async function call(admin: AdminApi, method: Method, path: string, body?: object): Promise<unknown> {
  return readReply(await admin.send(method, path, body))
}

const PAGE = 100

/** Reads a list to its end, or up to `limit` items. @param query filters; undefined members are left out */
export async function listAll(
  admin: AdminApi,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
  limit = Number.POSITIVE_INFINITY,
): Promise<object[]> {
  const items: object[] = []
  let cursor: string | undefined
  do {
    const page_size = String(Math.min(PAGE, limit - items.length))
    const page = await call(admin, 'GET', `${path}?${queryString({ ...query, limit: page_size, cursor })}`)
    items.push(...itemsOf(page))
    cursor = textOf(page, 'next_cursor')
  } while (cursor !== undefined && items.length < limit)
  return items
}

function queryString(query: Readonly<Record<string, string | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value)
  return parameters.toString()
}

function itemsOf(page: unknown): object[] {
  const items = member(page, 'items')
  return Array.isArray(items) ? items.filter((item) => typeof item === 'object' && item !== null) : []
}

/** A member of what may be an object. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** A member that is a text; undefined for any other. */
export function textOf(value: unknown, name: string): string | undefined {
  const text = member(value, name)
  return typeof text === 'string' ? text : undefined
}

/** An answer as an object; empty when it is none. */
export function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

/** One path segment. */
export function segment(text: string): string {
  // A URL parser takes these two for steps up and nowhere.
  if (text === '' || text === '.' || text === '..') throw new CliError('usage', `'${text}' is no name or id.`)
  return encodeURIComponent(text)
}

/** @throws {CliError} for what is not a 2xx, in the server's words (RFC 9457) where it has any */
export function readReply({ status, text, retry_after }: Reply): unknown {
  const body = parseJson(text)
  if (status >= 200 && status < 300) {
    if (text !== '' && body === undefined) {
      throw new CliError('failed', 'The answer is not JSON.', 'Check that the URL is that of Gatehouse, with its path.')
    }
    return body
  }
  throw problemOf(status, body, retry_after)
}

function problemOf(status: number, body: unknown, retry_after: string | null | undefined): CliError {
  const said = textOf(body, 'detail') ?? textOf(body, 'title') ?? textOf(body, 'error_description')
  const message = [said ?? `The server answered with status ${status}.`, ...fieldProblems(body)].join('\n  ')
  const ready_at = member(body, 'ready_at')
  const remedy = typeof ready_at === 'number' ? `Possible from ${instant(ready_at)} on.` : undefined
  return new CliError(failureOf(status), message, remedy ?? remedyOf(status, retry_after, said !== undefined))
}

/** What is wrong with each member of the request. */
function fieldProblems(body: unknown): string[] {
  const errors = member(body, 'errors')
  if (!Array.isArray(errors)) return []
  return errors.map((error) => [textOf(error, 'field'), textOf(error, 'message')].filter(Boolean).join(': '))
}

function failureOf(status: number): Failure {
  if (status === 404) return 'not_found'
  if (status === 409) return 'conflict'
  return status === 503 || status === 504 || status === 502 ? 'unreachable' : 'failed'
}

function remedyOf(status: number, retry_after: string | null | undefined, explained: boolean): string | undefined {
  if (status === 401) return 'Give a token that is valid still: GATEHOUSE_TOKEN, --token-file, or --client-id.'
  if (status === 403) return 'The token needs the scope gatehouse:write (or gatehouse:read, to read).'
  if (status === 413) return 'Send less at once, or raise http.body_limit_bytes.'
  if (status === 429 || status === 503) return `Try again in ${retry_after ?? 'a few'} seconds.`
  if (status >= 500) return "The server's log says more."
  return explained ? undefined : 'Check that the URL is that of Gatehouse, with its path.'
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
