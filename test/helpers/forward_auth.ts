/** A server that answers for a proxy, what it lets in, and a browser behind such a proxy. */
import type { Test } from 'tap'
import { ensureForwardAuthClient } from '../../server/clients/forward_auth_client.ts'
import type { Client } from '../../server/protocol/client.ts'
import { buildTestApp } from './app.ts'
import { codeFor, codeForm } from './code.ts'
import { createBrowser, type Landing, signInThroughPages, WEB_CLIENT } from './web_client.ts'

export const APP = 'https://app.example'
export const API = 'https://api.example'
export const PROXY = '127.0.0.1'
export const POLICY = `resource=${encodeURIComponent(API)}`
export const HTML = 'text/html,*/*'

/** What a proxy says of a request to the application. */
export const forwarded = (path = '/private?a=1', origin = APP, method = 'GET') => ({
  'x-forwarded-method': method,
  'x-forwarded-proto': new URL(origin).protocol.slice(0, -1),
  'x-forwarded-host': new URL(origin).host,
  'x-forwarded-uri': path,
})

export async function prepareForwardAuth(t: Test, forward_auth = {}, more: Parameters<typeof buildTestApp>[1] = {}) {
  const server = await buildTestApp(t, {
    ...more,
    config: {
      http: { trust_proxy: [PROXY] },
      forward_auth: { enabled: true, origins: [APP], ...forward_auth },
      ...more?.config,
    },
  })
  await ensureForwardAuthClient(server.deps)
  const registered = { access_token_seconds: null, signing_alg: 'RS256', created_at: 0, updated_at: 0 } as const
  const described = {
    claims: {},
    token_typ: 'at+jwt' as const,
    scopes: ['read', 'write'],
    introspection_clients: [],
    authorization_details_types: [],
  }
  await server.deps.store.createResource({ resource: API, ...registered, ...described }, [])
  const alice = await server.createAccount({ email: 'alice@example.com', roles: ['editor'] })
  const client = await server.createClient({
    ...WEB_CLIENT,
    scope: 'openid profile email read write',
    resources: ['*'],
  })
  const tokenOf = async (changes: Partial<Client> = {}, scope = 'read', resources = [API], headers = {}) => {
    const asking = Object.keys(changes).length === 0 ? client : await server.createClient({ ...client, ...changes })
    const code = await codeFor(server, asking, alice, { scope, resources })
    const { access_token } = (await server.postForm('/token', codeForm(asking, code), headers)).json()
    return String(access_token)
  }
  const ask = (query: string, headers: Record<string, string> = {}, remoteAddress = PROXY) =>
    server.inject({ url: `/forward-auth?${query}`, headers, remoteAddress })
  const withToken = (token: string, query = POLICY, headers = {}) =>
    ask(query, { authorization: `Bearer ${token}`, ...headers })
  return { ...server, alice, client, tokenOf, ask, withToken }
}

/** A browser at the application, whose proxy asks about each page and passes the callback on. */
export async function browserAtApplication(
  test: Awaited<ReturnType<typeof prepareForwardAuth>>,
  query = 'sign_in=redirect',
  app = APP,
) {
  const person = createBrowser(test)
  const browser = createBrowser({
    issuer: app,
    inject: ({ url, headers }) => {
      const told = { accept: HTML, ...forwarded(url, app), ...headers }
      const asked = url.startsWith('/forward-auth/callback') ? url : `/forward-auth?${query}`
      return test.inject({ url: asked, headers: told, remoteAddress: PROXY })
    },
  })
  const enter = async (path = '/private?a=1'): Promise<Landing> => {
    const away = await browser.open(`${app}${path}`)
    if (!away.left) return away
    const back = await signInThroughPages(person, away.url.href)
    return back.left ? browser.open(back.url.href) : back
  }
  return { browser, person, enter }
}
