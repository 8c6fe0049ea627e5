/** Signs a browser in at the neighbour, as far as its development pages want it, and says what to send from then on. */
import { createHash } from 'node:crypto'
import type { CodeFlow } from './load.ts'
import type { ProviderRequest, ProviderResult } from './oidc_provider.ts'
import type { Worker } from './worker.ts'

export const CLIENT_ID = 'bench'
export const REDIRECT_URI = 'https://client.example/callback'
export const SCOPE = 'openid profile email'
/** Without `openid`: then a refresh signs one token at both servers. */
export const REFRESH_SCOPE = 'read'
/** oidc-provider in a process of its own, with a browser signed in and grants to refresh. */
export interface Neighbour {
  readonly pid: number
  readonly port: number
  readonly flow: CodeFlow
  readonly tokens: readonly string[]
}

const VERIFIER = 'a verifier of the benchmark, as long as RFC 7636 wants it'.replaceAll(/[ ,]/g, '-')
const CODE_CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** The query of an authorization request that both servers answer. */
export const AUTHORIZATION_QUERY = authorizationQuery(SCOPE)

function authorizationQuery(scope: string): string {
  const params = new URLSearchParams({
    client_id: CLIENT_ID,
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope,
    state: 'state',
    code_challenge: CODE_CHALLENGE,
    code_challenge_method: 'S256',
  })
  return params.toString()
}

/** The exchange of its code, but for the code at the end. */
const exchange = new URLSearchParams({
  grant_type: 'authorization_code',
  client_id: CLIENT_ID,
  redirect_uri: REDIRECT_URI,
  code_verifier: VERIFIER,
})
export const EXCHANGE = `${exchange.toString()}&code=`

const MAX_STEPS = 12

/** @param grants how many */
export async function startNeighbour(
  worker: Worker<ProviderRequest, ProviderResult>,
  grants: number,
): Promise<Neighbour> {
  const { port } = await worker.ask({ client_id: CLIENT_ID, redirect_uri: REDIRECT_URI })
  const refreshing = await signInAtNeighbour(port, REFRESH_SCOPE)
  const tokens = await neighbourTokens(port, refreshing, grants)
  return { pid: worker.pid, port, flow: await signInAtNeighbour(port, SCOPE), tokens }
}

async function signInAtNeighbour(port: number, scope: string): Promise<CodeFlow> {
  const base = `http://localhost:${port}`
  const cookies = new Map<string, string>()
  const visit = async (url: string, form?: Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
    const response = await fetch(new URL(url, base), { ...body, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/s)
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  let url = `/auth?${authorizationQuery(scope)}&prompt=consent`
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const response = await visit(url)
    const location = response.headers.get('location')
    if (location?.startsWith(REDIRECT_URI)) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      return { authorize: `/auth?${authorizationQuery(scope)}`, cookie, exchange: EXCHANGE }
    }
    if (location !== null) {
      url = location
      continue
    }
    const page = await response.text()
    const [, action = ''] = /action="([^"]+)"/.exec(page) ?? []
    const [, prompt = ''] = /name="prompt" value="([^"]+)"/.exec(page) ?? []
    url = (await visit(action, { prompt, login: 'alice', password: 'x' })).headers.get('location') ?? ''
  }
  throw new Error('oidc-provider asks for more than this benchmark answers')
}

/** The first refresh token of each of so many grants. */
async function neighbourTokens(port: number, flow: CodeFlow, many: number): Promise<string[]> {
  const tokens: string[] = []
  for (let index = 0; index < many; index += 1) {
    const base = `http://localhost:${port}`
    const answer = await fetch(`${base}${flow.authorize}`, { redirect: 'manual', headers: { cookie: flow.cookie } })
    const code = new URL(answer.headers.get('location') ?? base).searchParams.get('code') ?? ''
    const body = new URLSearchParams(`${flow.exchange}${encodeURIComponent(code)}`)
    const response = await fetch(`${base}/token`, { method: 'POST', body })
    const { refresh_token } = (await response.json()) as { refresh_token?: string }
    if (refresh_token === undefined) throw new Error(`oidc-provider gave no refresh token: ${response.status}`)
    tokens.push(refresh_token)
  }
  return tokens
}
