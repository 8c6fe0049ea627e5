/** What applications, a resource server and an administrator say to a server: real HTTP over kept-alive connections. */
import { basic } from './app.ts'

export interface Answer {
  readonly status: number
  /** Empty where the answer has no JSON object. */
  readonly body: Readonly<Record<string, unknown>>
}

/** The tokens of an answer of either API. */
export interface Pair {
  readonly refresh: string
  readonly access: string
}

export interface ServerClient {
  /** `POST /token`, as a client without a secret unless it gives one. */
  refresh(refresh_token: string, client?: { client_id: string; client_secret?: string }): Promise<Answer>
  /** `POST /api/token/refresh/` */
  refreshAtLoginApi(refresh_token: string): Promise<Answer>
  logIn(username: string, password: string): Promise<Answer>
  clientCredentials(): Promise<Answer>
  /** `POST /revoke` */
  revoke(token: string, client_id?: string): Promise<Answer>
  blacklist(refresh_token: string): Promise<Answer>
  introspect(token: string): Promise<Answer>
  /** The admin API, with a token that the operator gets for itself. */
  admin(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer>
}

/** A client that may administer and introspect; see `seed.ts`. */
export interface Operator {
  readonly client_id: string
  readonly client_secret: string
}

export const LOGIN_CLIENT = 'gatehouse-login'

// Well below the lifetime of an access token.
const OPERATOR_TOKEN_MS = 60_000

/** @param base_url where the server listens, whatever its issuer */
export function serverClient(base_url: string, issuer: string, operator: Operator): ServerClient {
  const authenticated = basic(operator.client_id, operator.client_secret)

  async function send(path: string, init: RequestInit): Promise<Answer> {
    const response = await fetch(`${base_url}${path}`, init)
    const text = await response.text()
    const body: unknown = text.startsWith('{') ? JSON.parse(text) : {}
    return { status: response.status, body: isRecord(body) ? body : {} }
  }
  const form = (path: string, fields: Record<string, string>, headers = {}) =>
    send(path, { method: 'POST', body: new URLSearchParams(fields), headers })
  const json = (path: string, body: unknown) =>
    send(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

  let token: { readonly value: Promise<string>; readonly made_at: number } | undefined
  function operatorToken(): Promise<string> {
    if (token === undefined || performance.now() - token.made_at > OPERATOR_TOKEN_MS) {
      const value = form(
        '/token',
        { grant_type: 'client_credentials', resource: `${issuer}/admin/api` },
        authenticated,
      ).then(({ body }) => textOf(body, 'access_token'))
      value.catch(() => {
        token = undefined
      })
      token = { value, made_at: performance.now() }
    }
    return token.value
  }

  return {
    refresh(refresh_token, { client_id, client_secret } = { client_id: LOGIN_CLIENT }) {
      const fields = { grant_type: 'refresh_token', refresh_token }
      if (client_secret === undefined) return form('/token', { ...fields, client_id })
      return form('/token', fields, basic(client_id, client_secret))
    },
    refreshAtLoginApi: (refresh) => json('/api/token/refresh/', { refresh }),
    logIn: (username, password) => json('/api/token/', { username, password }),
    clientCredentials: () => form('/token', { grant_type: 'client_credentials', resource: issuer }, authenticated),
    revoke: (token, client_id = LOGIN_CLIENT) => form('/revoke', { token, client_id }),
    blacklist: (refresh) => json('/api/token/blacklist/', { refresh }),
    introspect: (token) => form('/introspect', { token }, authenticated),
    async admin(method, path, body) {
      const headers: Record<string, string> = { authorization: `Bearer ${await operatorToken()}` }
      if (body === undefined) return send(`/admin/api/${path}`, { method, headers })
      headers['content-type'] = 'application/json'
      return send(`/admin/api/${path}`, { method, headers, body: JSON.stringify(body) })
    },
  }
}

/** @returns undefined for a refusal */
export function pairOf({ status, body }: Answer): Pair | undefined {
  if (status !== 200) return undefined
  if ('refresh' in body) return { refresh: textOf(body, 'refresh'), access: textOf(body, 'access') }
  return { refresh: textOf(body, 'refresh_token'), access: textOf(body, 'access_token') }
}

export function textOf(body: Answer['body'], member: string): string {
  const value = body[member]
  if (typeof value !== 'string') throw new Error(`no ${member} in ${JSON.stringify(body)}`)
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
