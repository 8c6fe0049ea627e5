/** The verifier in real frameworks, over real sockets. */
import { createHash, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve as serveHono } from '@hono/node-server'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth as requireBearerAuth1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { OAuthError, requireBearerAuth as requireBearerAuth2 } from '@modelcontextprotocol/server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { CompactSign, calculateJwkThumbprint, exportJWK } from 'jose'
import t, { type Test } from 'tap'
import { protectedResourceMetadata, requireToken } from '../../resource_server/express.ts'
import { resourceServer } from '../../resource_server/fastify.ts'
import { metadataResponse, withToken } from '../../resource_server/fetch.ts'
import { mcpTokenVerifier } from '../../resource_server/mcp.ts'
import { createVerifier, type Verifier } from '../../resource_server/verifier.ts'
import { certificateMaker } from '../helpers/certificates.ts'
import { makeSigningKey, type StandInIssuer, signToken, startStandInIssuer } from '../helpers/stand_in_issuer.ts'
import { fetchOverTls } from '../helpers/tls.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const METADATA = { scopes_supported: ['read'] }
const issuer = await startStandInIssuer(t)
const stranger = await makeSigningKey(issuer.keys[0].kid)

/** What each framework is made of: `/me` for any good token, `/read` for the scope, the metadata. @returns its origin */
type Framework = (t: Test, verifier: Verifier) => Promise<string>

const frameworks: Readonly<Record<string, Framework>> = {
  'fastify 5': async (t, verifier) => {
    const app = fastify()
    await app.register(resourceServer, { verifier, metadata: METADATA })
    app.get('/me', { onRequest: app.requireToken() }, (request) => request.claims)
    app.get('/read', { onRequest: app.requireToken({ scope: 'read' }) }, (request) => request.claims)
    t.teardown(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
  'Express 5': async (t, verifier) => {
    const app = express()
    app.get('/me', requireToken(verifier), (request, response) => void response.json(request.claims))
    app.get(
      '/read',
      requireToken(verifier, { scope: 'read' }),
      (request, response) => void response.json(request.claims),
    )
    app.get(WELL_KNOWN, protectedResourceMetadata(verifier, METADATA))
    return listening(t, createServer(app))
  },
  'Hono, and whatever else has Request and Response': async (t, verifier) => {
    const app = new Hono()
    const me = withToken(verifier, {}, (_request, claims) => Response.json(claims))
    const read = withToken(verifier, { scope: 'read' }, (_request, claims, path: string) =>
      Response.json({ ...claims, path }),
    )
    app.get('/me', (c) => me(c.req.raw))
    app.get('/read', (c) => read(c.req.raw, c.req.path))
    app.get(WELL_KNOWN, () => metadataResponse(verifier, METADATA))
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    return listening(t, server as Server, true)
  },
}

async function listening(t: Test, server: Server, started = false): Promise<string> {
  if (!started) server.listen(0, '127.0.0.1')
  if (!server.listening) await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function verifierOf({ issuer, audience }: StandInIssuer, more = {}): Verifier {
  const verifier = createVerifier({
    issuer,
    audience,
    dpop: 'off',
    resource_metadata: `${audience}${WELL_KNOWN}`,
    ...more,
  })
  t.teardown(() => verifier.close())
  return verifier
}

for (const [name, framework] of Object.entries(frameworks)) {
  t.test(name, async (t) => {
    const origin = await framework(t, verifierOf(issuer))
    const get = (path: string, token?: string) =>
      fetch(`${origin}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
    const resource_metadata = `resource_metadata="${issuer.audience}${WELL_KNOWN}"`

    const me = await get('/me', await issuer.token())
    t.equal(me.status, 200)
    t.match(await me.json(), { iss: issuer.issuer, sub: 'account_1' })
    t.equal((await get('/read', await issuer.token())).status, 200)

    const none = await get('/me')
    t.equal(none.status, 401, 'RFC 6750 §3.1: no token')
    t.equal(none.headers.get('www-authenticate'), `Bearer ${resource_metadata}`)
    const forged = await get('/me', await signToken(stranger, issuer.claims()))
    t.equal(forged.status, 401, 'a foreign key')
    t.match(forged.headers.get('www-authenticate'), /^Bearer error="invalid_token"/)
    t.equal(forged.headers.get('cache-control'), 'no-store')
    t.match(forged.headers.get('content-type'), /^application\/json/)
    t.notMatch(await forged.text(), /foreign|signature|stack|\.ts/, 'nothing of how it was found out')
    const narrow = await get('/read', await issuer.token({ scope: 'write' }))
    t.equal(narrow.status, 403)
    t.match(narrow.headers.get('www-authenticate'), /error="insufficient_scope".*scope="read"/)
    t.equal((await fetch(`${origin}/me`, { headers: { authorization: 'Bearer a b' } })).status, 400)

    const metadata = await get(WELL_KNOWN)
    t.equal(metadata.status, 200, 'RFC 9728 §3.1')
    t.match(await metadata.json(), { resource: issuer.audience, authorization_servers: [issuer.issuer], ...METADATA })
    t.equal(metadata.headers.get('access-control-allow-origin'), '*')
  })

  t.test(`${name}: an issuer that is down is no reason for 401`, async (t) => {
    const down = await startStandInIssuer(t)
    await down.down()
    const origin = await framework(t, verifierOf(down))
    const answer = await fetch(`${origin}/me`, { headers: { authorization: `Bearer ${await down.token()}` } })
    t.equal(answer.status, 503)
    t.match(answer.headers.get('retry-after'), /^[1-5]$/)
    t.equal(answer.headers.get('www-authenticate'), null)
  })
}

t.test('RFC 9449 §4.3: proofs name the whole path, also below an Express mount point', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  const token = await issuer.token({ cnf: { jkt: await calculateJwkThumbprint(jwk) } })
  const app = express()
  const router = express.Router()
  const verifier = verifierOf(issuer, { dpop: 'allowed' })
  router.get('/notes', requireToken(verifier), (request, response) => void response.json(request.claims))
  app.use('/v1', router)
  const origin = await listening(t, createServer(app))
  const ask = async (htu: string) => {
    const ath = createHash('sha256').update(token).digest('base64url')
    const claims = { jti: htu, htm: 'GET', htu, iat: Math.floor(Date.now() / 1000), ath }
    const dpop = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .sign(privateKey)
    return fetch(`${origin}/v1/notes?x=y`, { headers: { authorization: `DPoP ${token}`, dpop } })
  }
  t.equal((await ask(`${issuer.audience}/v1/notes`)).status, 200)
  const elsewhere = await ask(`${issuer.audience}/notes`)
  t.equal(elsewhere.status, 401)
  t.match(elsewhere.headers.get('www-authenticate'), /^DPoP error="invalid_dpop_proof".*algs="ES256 /)
})

t.test('RFC 8705 §3: the certificate of the connection is the one that the token is bound to', async (t) => {
  const certificates = certificateMaker(t)
  const [server, alice, mallory] = ['/CN=localhost', '/CN=alice', '/CN=mallory'].map((subject) =>
    certificates.selfSigned(subject, ['subjectAltName=DNS:localhost']),
  )
  if (server === undefined || alice === undefined || mallory === undefined) throw new Error('no certificates')
  const app = fastify({
    https: { cert: server.certificate, key: server.key, requestCert: true, rejectUnauthorized: false },
  })
  await app.register(resourceServer, { verifier: verifierOf(issuer) })
  app.get('/me', { onRequest: app.requireToken() }, (request) => request.claims)
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `https://localhost:${(app.server.address() as AddressInfo).port}/me`
  const x5t = createHash('sha256').update(alice.x509.raw).digest('base64url')
  const headers = { authorization: `Bearer ${await issuer.token({ cnf: { 'x5t#S256': x5t } })}` }
  const statuses = []
  for (const shown of [alice, mallory, undefined])
    statuses.push((await fetchOverTls(server, shown)(url, { headers })).status)
  t.strictSame(statuses, [200, 401, 401])
})

t.test('RFC 8705: behind a proxy the adapters pass on what it has seen', async (t) => {
  const token = await issuer.token({ cnf: { 'x5t#S256': 'seen' } })
  const app = fastify()
  const verifier = verifierOf(issuer)
  const shown = (value: unknown) => (typeof value === 'string' ? value : undefined)
  await app.register(resourceServer, { verifier, certificate_thumbprint: ({ headers }) => shown(headers['x-seen']) })
  app.get('/me', { onRequest: app.requireToken() }, (request) => request.claims)
  t.teardown(() => app.close())
  const other = express()
  const options = { certificate_thumbprint: ({ headers }: express.Request) => shown(headers['x-seen']) }
  other.get('/me', requireToken(verifier, {}, options), (request, response) => void response.json(request.claims))
  for (const origin of [await app.listen({ port: 0, host: '127.0.0.1' }), await listening(t, createServer(other))]) {
    const ask = (more: Record<string, string>) =>
      fetch(`${origin}/me`, { headers: { authorization: `Bearer ${token}`, ...more } })
    t.equal((await ask({ 'x-seen': 'seen' })).status, 200)
    t.equal((await ask({ 'x-seen': 'another' })).status, 401)
    t.equal((await ask({})).status, 401)
  }
})

t.test('the Model Context Protocol’s server SDK, both generations', async (t) => {
  const resource = new URL(issuer.audience)
  const first = express()
  const verifier1 = mcpTokenVerifier(verifierOf(issuer), { InvalidTokenError })
  const guard1 = requireBearerAuth1({ verifier: verifier1, requiredScopes: ['read'], expectedResource: resource })
  first.get('/', guard1, (request, response) => void response.json(request.auth))
  const verifier2 = mcpTokenVerifier(verifierOf(issuer), { OAuthError })
  const gate = requireBearerAuth2({ verifier: verifier2, requiredScopes: ['read'], expectedResource: resource })
  const second = new Hono().get('/', async (c) => {
    const auth = await gate(c.req.raw)
    return auth instanceof Response ? auth : Response.json(auth)
  })
  const hono = serveHono({ fetch: second.fetch, port: 0, hostname: '127.0.0.1' })
  for (const origin of [await listening(t, createServer(first)), await listening(t, hono as Server, true)]) {
    const get = (token: string) => fetch(origin, { headers: { authorization: `Bearer ${token}` } })
    const good = await get(await issuer.token())
    t.equal(good.status, 200)
    t.match(await good.json(), {
      clientId: 'app',
      scopes: ['read', 'write'],
      extra: { sub: 'account_1' },
      resource: resource.href,
    })
    const forged = await get(await signToken(stranger, issuer.claims()))
    t.equal(forged.status, 401)
    t.match(forged.headers.get('www-authenticate'), /error="invalid_token"/)
    t.equal((await get(await issuer.token({ exp: 1 }))).status, 401)
    t.equal((await get(await issuer.token({ aud: 'https://other.example' }))).status, 401)
    t.equal((await get(await issuer.token({ cnf: { jkt: 'x' } }))).status, 401, 'a bound token cannot be proven here')
    t.equal((await get(await issuer.token({ scope: 'write' }))).status, 403)
  }
  const down = await startStandInIssuer(t)
  await down.down()
  for (const errors of [{ InvalidTokenError }, { OAuthError }]) {
    const { verifyAccessToken } = mcpTokenVerifier(verifierOf(down), errors)
    t.match(await verifyAccessToken(await down.token()).catch((error: unknown) => error), { status: 503 }, 'no 401')
  }
})
