/** The endpoints that take authorization requests, and an honest one. */
import { basic, type TestApp } from '../helpers/app.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'
import type { Target } from './targets.ts'

const SECRET = 'a client secret of some length'
const CLIENT_ID = 'requests'

const MEMBERS = {
  response_type: 'code',
  client_id: CLIENT_ID,
  redirect_uri: WEB_CLIENT.redirect_uris[0],
  scope: 'openid',
  state: 'x',
  response_mode: 'query',
  nonce: 'n',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
  prompt: 'none',
  max_age: '60',
  acr_values: 'a b',
  login_hint: 'alice',
  ui_locales: 'en',
  claims: '{"id_token":{"email":null}}',
}

async function withClient(server: TestApp): Promise<void> {
  await server.createClient({ ...WEB_CLIENT, client_id: CLIENT_ID, client_secret: SECRET })
}

const authorize = (method: 'GET' | 'POST'): Target => ({
  method,
  route: '/authorize',
  refusal: 'page',
  ...(method === 'POST' ? { body: 'form' } : {}),
  // To the client, that nobody is signed in; or on to where cookies come along.
  answers: 303,
  async honest(server) {
    await withClient(server)
    return { url: '/authorize', members: MEMBERS }
  },
})

export const authorizationTargets: readonly Target[] = [
  authorize('GET'),
  authorize('POST'),
  {
    method: 'POST',
    route: '/par',
    refusal: 'oauth',
    body: 'form',
    async honest(server) {
      await withClient(server)
      return { url: '/par', members: MEMBERS, headers: basic(CLIENT_ID, SECRET) }
    },
  },
]
