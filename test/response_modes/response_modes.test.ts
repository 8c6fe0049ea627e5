import { compactDecrypt, compactVerify, createLocalJWKSet, generateKeyPair } from 'jose'
import t from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { buildTestApp, claimsOf, NOW } from '../helpers/app.ts'
import { authorizationUrl, formIn, WEB_CLIENT } from '../helpers/web_client.ts'

const server = await buildTestApp(t)
const { issuer } = server
const CALLBACK = 'https://app.example/callback'
const client = await server.createClient({ ...WEB_CLIENT, redirect_uris: [CALLBACK, `${CALLBACK}?tenant=1`] })
const ANSWER = { error: 'login_required', state: 'the state', iss: issuer }

/** The answer to a request that nobody can answer without a page. */
async function answer(
  response_mode: string | undefined,
  more: Record<string, string> = {},
  asking: Pick<Client, 'client_id' | 'redirect_uris'> = client,
) {
  const { url } = authorizationUrl(server, asking, { prompt: 'none', response_mode, ...more })
  const response = await server.inject({ url: url.slice(issuer.length) })
  return { ...response, location: String(response.headers.location ?? ''), body: response.body }
}

const fields = (parameters: string) => Object.fromEntries(new URLSearchParams(parameters))

t.test('RFC 6749 §4.1.2: query, the default, keeps the query that is registered', async (t) => {
  for (const mode of [undefined, 'query']) {
    const { statusCode, location } = await answer(mode)
    t.equal(statusCode, 303)
    t.ok(location.startsWith(`${CALLBACK}?error=`), location)
    t.match(fields(new URL(location).search), ANSWER)
  }
  const { location } = await answer('query', { redirect_uri: `${CALLBACK}?tenant=1` })
  t.ok(location.startsWith(`${CALLBACK}?tenant=1&error=`), location)
})

t.test('Multiple Response Types §2.1: fragment', async (t) => {
  const { statusCode, location } = await answer('fragment', { redirect_uri: `${CALLBACK}?tenant=1` })
  t.equal(statusCode, 303)
  t.ok(location.startsWith(`${CALLBACK}?tenant=1#error=`), location)
  t.match(fields(new URL(location).hash.slice(1)), ANSWER)
})

t.test('Form Post §2: a form that leads to the client, and nowhere else', async (t) => {
  const { statusCode, headers, body } = await answer('form_post', { state: '"><script>alert(1)</script>' })
  t.equal(statusCode, 200)
  const form = formIn(body)
  t.equal(form.action, CALLBACK)
  t.match(form.fields, { ...ANSWER, state: '"><script>alert(1)</script>' })
  t.notMatch(body, '<script>alert')
  t.match(headers['content-security-policy'], /form-action 'self' https:/)
  t.equal(headers['cache-control'], 'no-store')
})

t.test('JARM §2.3: the same ways, with a JWT in place of the parameters', async (t) => {
  const inQuery = async (mode: string) => fields(new URL((await answer(mode)).location).search)
  const found = {
    jwt: await inQuery('jwt'),
    'query.jwt': await inQuery('query.jwt'),
    'fragment.jwt': fields(new URL((await answer('fragment.jwt')).location).hash.slice(1)),
    'form_post.jwt': formIn((await answer('form_post.jwt')).body).fields,
  }
  for (const [mode, parameters] of Object.entries(found)) {
    t.strictSame(Object.keys(parameters), ['response'], mode)
    t.match(claimsOf(parameters.response ?? ''), { ...ANSWER, aud: 'web', exp: NOW + 60 }, mode)
  }
})

const jwks = async () => createLocalJWKSet((await server.inject({ url: '/.well-known/jwks.json' })).json())

t.test('JARM §3: signed as the client is registered, RS256 by default', async (t) => {
  const es256 = await server.createClient({
    ...WEB_CLIENT,
    client_id: 'es256',
    authorization_signed_response_alg: 'ES256',
  })
  for (const [asking, alg] of [
    [client, 'RS256'],
    [es256, 'ES256'],
  ] as const) {
    const { response = '' } = fields(new URL((await answer('jwt', {}, asking)).location).search)
    t.equal((await compactVerify(response, await jwks())).protectedHeader.alg, alg)
  }
})

t.test('JARM §3: encrypted around the signature when the client is registered so', async (t) => {
  const { privateKey, publicKey } = await generateKeyPair('ECDH-ES', { extractable: true })
  const jwk = { kty: 'EC', ...(await crypto.subtle.exportKey('jwk', publicKey)), use: 'enc', kid: 'e' }
  const encrypted = await server.createClient({
    ...WEB_CLIENT,
    client_id: 'encrypted',
    jwks: { keys: [jwk] },
    authorization_encrypted_response_alg: 'ECDH-ES',
    authorization_encrypted_response_enc: 'A256GCM',
  })
  const { response = '' } = fields(new URL((await answer('jwt', {}, encrypted)).location).search)
  const { plaintext, protectedHeader } = await compactDecrypt(response, privateKey)
  t.match(protectedHeader, { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT' })
  const { payload } = await compactVerify(plaintext, await jwks())
  t.match(JSON.parse(new TextDecoder().decode(payload)), { ...ANSWER, aud: 'encrypted' })
})
