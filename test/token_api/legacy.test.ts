/** Tokens of a djangorestframework-simplejwt site that moves in. */

import { createHmac, createPublicKey } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { readLegacySecret } from '../../server/tokens/legacy_token.ts'
import { buildTestAdmin } from '../helpers/admin.ts'
import { claimsOf, NOW } from '../helpers/app.ts'

const SECRET = 'django-insecure-0123456789abcdefghijklmnopqrstuvwxyz0123456789'
const DAY = 86_400
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const legacy_secret_file = join(folder, 'secret')
writeFileSync(legacy_secret_file, `${SECRET}\n`, { mode: 0o600 })

const until = (at: number) => new Date(at * 1000).toISOString().replace('.000Z', 'Z')
const CONFIG = { legacy_secret_file, legacy_until: until(NOW + 2 * DAY) }

type Claims = Readonly<Record<string, unknown>>

let made = 0
const refreshClaims = (changes: Claims = {}): Claims => ({
  token_type: 'refresh',
  exp: NOW + DAY,
  iat: NOW - 100,
  jti: `jti-${++made}`,
  user_id: '7',
  ...changes,
})
const sign = (claims: Claims, secret = SECRET, alg = 'HS256') =>
  new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT' }).sign(Buffer.from(secret))

async function open(t: Test, token_api: object = {}) {
  const server = await buildTestAdmin(t, { config: { token_api: { ...CONFIG, ...token_api } } })
  const accounts = [
    { username: 'alice', legacy_user_id: '7', created_at: NOW - 1000 },
    { username: 'gone', legacy_user_id: '8', disabled: true },
  ]
  await server.call('POST', 'accounts/import', { accounts })
  const post = (path: string, body: object) => server.postJson(`/api/token/${path}/`, body)
  const refresh = (token: string) => post('refresh', { refresh: token })
  const said = async (response: ReturnType<typeof post>) => {
    const { statusCode, payload } = await response
    return `${statusCode} ${JSON.parse(payload).detail ?? payload}`
  }
  return { ...server, post, refresh, said }
}
const [INVALID, EXPIRED, TYPE, BLACKLISTED] = ['invalid', 'expired', '', 'blacklisted'].map((word) =>
  word === '' ? '401 Token has wrong type' : `401 Token is ${word}`,
)
const NOBODY = '401 No active account found for the given token.'

t.test('a live refresh token of the old site becomes a session here, that goes on', async (t) => {
  const { refresh, post, deps } = await open(t)
  const answer = await refresh(await sign(refreshClaims()))
  t.equal(answer.statusCode, 200)
  const pair = answer.json()
  const { account_id } = (await deps.store.findAccountByLegacyUserId('7')) ?? {}
  t.match(claimsOf(pair.access), {
    sub: account_id,
    token_type: 'access',
    auth_time: NOW - 1000,
    iss: deps.config.issuer,
  })
  t.equal((await post('verify', { token: pair.access })).statusCode, 200)
  const next = await refresh(pair.refresh)
  t.equal(next.statusCode, 200)
  t.equal((await refresh(next.json().refresh)).statusCode, 200)
})

t.test('exchanged once: a retry within the window gets the same, a replay after it ends the session', async (t) => {
  const { refresh, said, clock, deps } = await open(t)
  const token = await sign(refreshClaims())
  const first = (await refresh(token)).json()
  const again = (await refresh(token)).json()
  t.equal(again.refresh, first.refresh, 'the answer that was lost')
  t.ok(Number(claimsOf(again.access).exp) <= Number(claimsOf(first.access).exp))
  clock.advance(deps.config.tokens.reuse_window_seconds)
  t.equal(await said(refresh(token)), BLACKLISTED)
  t.equal(await said(refresh(first.refresh)), BLACKLISTED, 'RFC 9700 §4.14.2: nobody knows who was the thief')
  t.equal(await said(refresh(token)), BLACKLISTED)
  const { items } = await deps.store.listGrants({}, { limit: 10, cursor: null })
  t.equal(items.length, 1)
})

t.test('a retry after the next rotation is no retry', async (t) => {
  const { refresh, said } = await open(t)
  const token = await sign(refreshClaims())
  const first = (await refresh(token)).json()
  t.equal((await refresh(first.refresh)).statusCode, 200)
  t.equal(await said(refresh(token)), BLACKLISTED)
})

t.test('64 at once: one grant, and one successor', async (t) => {
  const { refresh, deps } = await open(t)
  const token = await sign(refreshClaims())
  const answers = await Promise.all(Array.from({ length: 64 }, () => refresh(token)))
  t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
  t.equal(new Set(answers.map((answer) => answer.json().refresh)).size, 1)
  t.equal((await deps.store.listGrants({}, { limit: 10, cursor: null })).items.length, 1)
})

t.test('after its window there is no trace of the old site', async (t) => {
  const { refresh, post, said, clock } = await open(t)
  const [used, fresh] = [
    await sign(refreshClaims({ exp: NOW + 9 * DAY })),
    await sign(refreshClaims({ exp: NOW + 9 * DAY })),
  ]
  const access = await sign({ ...refreshClaims({ exp: NOW + 9 * DAY }), token_type: 'access' })
  const pair = (await refresh(used)).json()
  t.equal((await post('verify', { token: access })).statusCode, 200)
  clock.advance(DAY - 10)
  const kept = (await refresh(pair.refresh)).json()
  clock.advance(DAY + 9)
  t.equal((await post('verify', { token: access })).statusCode, 200)
  clock.advance(1)
  t.equal(await said(refresh(fresh)), INVALID)
  t.equal(await said(refresh(used)), INVALID)
  t.equal(await said(post('verify', { token: access })), INVALID)
  t.equal((await refresh(kept.refresh)).statusCode, 401, 'idle for longer than a day')
})

t.test('without the secret, nothing of it is honoured', async (t) => {
  const { refresh, said, post } = await open(t, { legacy_secret_file: null, legacy_until: null })
  t.equal(await said(refresh(await sign(refreshClaims()))), INVALID)
  t.equal(await said(post('verify', { token: await sign({ ...refreshClaims(), token_type: 'access' }) })), INVALID)
})

t.test('forged, expired and misused tokens, as simplejwt refuses them', async (t) => {
  const { refresh, post, said, deps } = await open(t)
  const good = await sign(refreshClaims())
  const [header = '', payload = '', signature = ''] = good.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [jwk] = JSON.parse(deps.keys.jwks.body).keys
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  const critical = `${encode({ alg: 'HS256', crit: ['x'], x: 1 })}.${payload}`
  const forged = {
    'alg none': `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`,
    'alg NONE with a signature': `${encode({ alg: 'NONE' })}.${payload}.${signature}`,
    'our public key as the secret (PEM)': await sign(refreshClaims(), pem),
    'our public key as the secret (PEM, trimmed)': await sign(refreshClaims(), pem.trim()),
    'our public key as the secret (JSON)': await sign(refreshClaims(), JSON.stringify(jwk)),
    'alg RS256 over an HMAC': `${encode({ alg: 'RS256', typ: 'JWT', kid: jwk?.kid })}.${payload}.${signature}`,
    'another algorithm of the family': await sign(refreshClaims(), SECRET, 'HS512'),
    'a wrong secret': await sign(refreshClaims(), `${SECRET}x`),
    'an empty secret': await sign(refreshClaims(), ' '.repeat(32)),
    tampered: `${header}.${encode(refreshClaims({ user_id: '1' }))}.${signature}`,
    'without a signature': `${header}.${payload}.`,
    'without exp': await sign(refreshClaims({ exp: undefined })),
    'without jti': await sign(refreshClaims({ jti: undefined })),
    'without a user': await sign(refreshClaims({ user_id: undefined })),
    'made in the future': await sign(refreshClaims({ iat: NOW + 1 })),
    'not valid yet': await sign(refreshClaims({ nbf: NOW + 60 })),
    'for somebody else': await sign(refreshClaims({ aud: 'https://other.example' })),
    'a jti that is no text': await sign({ ...refreshClaims(), jti: 5 }),
    'a user that is no id': await sign(refreshClaims({ user_id: { $gt: '' } })),
    'a fraction of a user': await sign(refreshClaims({ user_id: 7.5 })),
    'an endless jti': await sign(refreshClaims({ jti: 'j'.repeat(256) })),
    'a critical extension': `${critical}.${createHmac('sha256', SECRET).update(critical).digest('base64url')}`,
  }
  for (const [title, token] of Object.entries(forged)) {
    t.equal(await said(refresh(token)), INVALID, title)
    t.equal(await said(post('blacklist', { refresh: token })), INVALID, `${title}, at blacklist`)
    t.equal(await said(post('verify', { token })), INVALID, `${title}, at verify`)
  }
  t.equal(await said(refresh(await sign(refreshClaims({ exp: NOW })))), EXPIRED)
  t.equal(await said(refresh(await sign({ ...refreshClaims(), token_type: 'access' }))), TYPE)
  t.equal(await said(refresh(await sign({ ...refreshClaims(), token_type: 'sliding' }))), TYPE)
  t.equal(await said(refresh(await sign(refreshClaims({ token_type: undefined })))), TYPE)
  t.equal(await said(post('blacklist', { refresh: await sign({ ...refreshClaims(), token_type: 'access' }) })), TYPE)
  t.equal((await deps.store.listGrants({}, { limit: 1, cursor: null })).items.length, 0, 'nobody got in')
  t.equal((await refresh(good)).statusCode, 200, 'and the next honest request works')
})

t.test('nobody, and who is disabled, gets nothing, and the token is not used up by it', async (t) => {
  const { refresh, post, said, call } = await open(t)
  const token = await sign(refreshClaims({ user_id: 8 }))
  t.equal(await said(refresh(await sign(refreshClaims({ user_id: 99 })))), NOBODY)
  t.equal(await said(refresh(token)), NOBODY)
  t.equal((await post('verify', { token })).statusCode, 400)
  await call('POST', 'accounts/gone/enable')
  t.equal((await refresh(token)).statusCode, 200)
  await call('POST', 'accounts/gone/disable')
  t.equal((await refresh(token)).statusCode, 401)
})

t.test('signing out with an old token uses it up, before and after it was exchanged', async (t) => {
  const { refresh, post, said } = await open(t)
  const [unused, used] = [await sign(refreshClaims()), await sign(refreshClaims())]
  t.equal((await post('verify', { token: unused })).statusCode, 200)
  t.equal((await post('blacklist', { refresh: unused })).statusCode, 200)
  t.equal(await said(post('blacklist', { refresh: unused })), BLACKLISTED)
  t.equal(await said(refresh(unused)), BLACKLISTED)
  t.equal((await post('verify', { token: unused })).statusCode, 400)
  const pair = (await refresh(used)).json()
  t.equal(await said(post('blacklist', { refresh: used })), BLACKLISTED)
  t.equal(await said(refresh(pair.refresh)), BLACKLISTED, 'and what it became has ended')
})

t.test('the blacklist of the old site is taken over, once and any number of times', async (t) => {
  const { refresh, said, call } = await open(t)
  const [first, second] = [refreshClaims(), refreshClaims()]
  const pair = (await refresh(await sign(second))).json()
  const tokens = [
    { jti: String(first.jti), expires_at: Number(first.exp) },
    { jti: String(second.jti), expires_at: Number(second.exp) },
    { jti: 'expired', expires_at: NOW },
  ]
  const block = async () => (await call('POST', 'legacy-tokens/block', { tokens })).json()
  t.same(await block(), { blocked: 1, revoked: 1, unchanged: 1 })
  t.same(await block(), { blocked: 0, revoked: 0, unchanged: 3 })
  t.equal(await said(refresh(await sign(first))), BLACKLISTED)
  t.equal(await said(refresh(pair.refresh)), BLACKLISTED)
})

t.test('the site’s settings are followed: algorithm, claim, issuer and audience', async (t) => {
  const file = join(folder, 'long')
  const long = SECRET.padEnd(64, '!')
  writeFileSync(file, long, { mode: 0o600 })
  const { refresh, said } = await open(t, {
    legacy_secret_file: file,
    legacy_algorithm: 'HS512',
    legacy_user_id_claim: 'uid',
    legacy_issuer: 'site',
    legacy_audience: 'api',
  })
  const claims = () => refreshClaims({ user_id: undefined, uid: 7, iss: 'site', aud: ['api', 'x'] })
  t.equal((await refresh(await sign(claims(), long, 'HS512'))).statusCode, 200)
  t.equal(await said(refresh(await sign(claims(), long, 'HS256'))), INVALID)
  t.equal(await said(refresh(await sign({ ...claims(), iss: 'other' }, long, 'HS512'))), INVALID)
  t.equal(await said(refresh(await sign({ ...claims(), aud: 'other' }, long, 'HS512'))), INVALID)
  t.equal(await said(refresh(await sign({ ...claims(), aud: undefined }, long, 'HS512'))), INVALID)
})

t.test('RFC 7518 §3.2: a secret that is short, or that others can read, keeps the server from starting', async (t) => {
  const at = (name: string, text: string, mode = 0o600) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, mode)
    return { legacy_secret_file: path, legacy_algorithm: 'HS256' } as const
  }
  t.throws(() => readLegacySecret(at('short', 'x'.repeat(31))), /holds 31 bytes/)
  t.throws(() => readLegacySecret(at('open', SECRET, 0o640)), /chmod 600/)
  t.throws(() => readLegacySecret({ legacy_secret_file: join(folder, 'none'), legacy_algorithm: 'HS256' }))
  t.throws(() => readLegacySecret({ ...at('h512', 'x'.repeat(63)), legacy_algorithm: 'HS512' }))
  t.equal(Buffer.from(readLegacySecret(at('ok', ` ${SECRET} \r\n`)) ?? []).toString(), ` ${SECRET} `)
})
