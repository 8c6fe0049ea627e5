import t from 'tap'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../server/protocol/token_exchange.ts'
import { basic, buildTestApp, claimsOf, NOW } from '../helpers/app.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { signToken } from '../helpers/stand_in_issuer.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'
import { ACCESS_TOKEN, forgeries, ID_TOKEN, stolenKey } from './forgeries.ts'

/** Every place that reads a JWT of ours, and every forgery. */

const SECRET = 'a client secret of some length'
const server = await buildTestApp(t, {
  config: { http: { max_event_loop_delay_milliseconds: 0 }, throttle: { client_failures_per_minute: 100_000 } },
})
await server.createClient({ client_secret: SECRET, scope: 'gatehouse:read' })
const service = basic('service', SECRET)
const admin_resource = `${server.issuer}/admin/api`

/** A token of the client's own, for the admin API. */
async function goodToken(): Promise<string> {
  const form = { grant_type: 'client_credentials', resource: admin_resource }
  return (await server.postForm('/token', form, service)).json().access_token
}

/** `taken`, `refused` as documented, or what else was the answer. */
type Reader = (token: string) => Promise<string>

async function verifyReader(token: string) {
  const { statusCode, body } = await server.postJson('/api/token/verify/', { token })
  if (statusCode === 200) return 'taken'
  return [400, 401, 413].includes(statusCode) ? 'refused' : `${statusCode} ${body}`
}

/** Neither of these takes an access token: but they say of a good one that it has the wrong type. */
const wrongTypeReader =
  (path: string): Reader =>
  async (token) => {
    const { statusCode, body } = await server.postJson(path, { refresh: token })
    if (statusCode === 413 || /Token is (?:invalid|expired)/.test(body)) return 'refused'
    return statusCode === 401 && body.includes('Token has wrong type') ? 'taken' : `${statusCode} ${body}`
  }

async function introspectReader(token: string) {
  const response = await server.postForm('/introspect', { token }, service)
  if (response.statusCode === 413) return 'refused'
  if (response.statusCode !== 200) return `${response.statusCode} ${response.body}`
  const answer = response.json()
  if (answer.active) return 'taken'
  return Object.keys(answer).length === 1 ? 'refused' : response.body
}

async function revokeReader(token: string) {
  const events = async () => (await server.deps.store.listAudit({ event: 'token.revoked' }, PAGE)).items.length
  const before = await events()
  const { statusCode, body } = await server.postForm('/revoke', { token }, service)
  if (statusCode === 413) return 'refused'
  if (statusCode !== 200) return `${statusCode} ${body}`
  return (await events()) > before ? 'taken' : 'refused'
}
const PAGE = { limit: 100, cursor: null }

async function adminReader(token: string) {
  const { statusCode, headers, body } = await server.inject({
    url: '/admin/api/keys',
    headers: { authorization: `Bearer ${token}` },
  })
  if (statusCode === 200) return 'taken'
  return statusCode === 401 && /error="invalid_token"/.test(String(headers['www-authenticate']))
    ? 'refused'
    : `${statusCode} ${body}`
}

const readers: Readonly<Record<string, Reader>> = {
  '/api/token/verify/': verifyReader,
  '/api/token/refresh/': wrongTypeReader('/api/token/refresh/'),
  '/api/token/blacklist/': wrongTypeReader('/api/token/blacklist/'),
  '/introspect': introspectReader,
  '/admin/api': adminReader,
  // Last, since what it takes is gone.
  '/revoke': revokeReader,
}

const ours = await stolenKey(server.deps)
const good = await goodToken()

t.test('an honest token is taken everywhere, and so is one that we sign ourselves', async (t) => {
  for (const token of [await goodToken(), await signToken(ours, { ...claimsOf(good), jti: 'another' })]) {
    for (const [place, read] of Object.entries(readers)) t.equal(await read(token), 'taken', place)
  }
})

t.test('a forgery is taken nowhere', async (t) => {
  for (const [title, token] of await forgeries(good, ours, NOW)) {
    for (const [place, read] of Object.entries(readers)) {
      // Of what is well signed, simplejwt says that it is of the wrong type: as of an access token here.
      if (/(?:refresh|blacklist)/.test(place) && /: typ|token_type/.test(title)) continue
      // A header cannot carry all of them.
      if (place === '/admin/api' && /[^\x20-\x7e]/.test(token)) continue
      const answer = await read(token)
      if (answer !== 'refused') t.fail(`${title} at ${place}: ${answer}`)
    }
  }
  t.equal(await introspectReader(good), 'taken', 'and the honest one stands')
})

t.test('RFC 7515 §5.2: altered at any character of any part, it is taken nowhere', async (t) => {
  // The last character of 256 bytes holds four bits that mean nothing: see below.
  for (let at = 0; at < good.length - 1; at += 1) {
    const token = `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`
    for (const place of ['/api/token/verify/', '/admin/api']) {
      const answer = await readers[place]?.(token)
      if (answer !== 'refused') t.fail(`altered at ${at} at ${place}: ${answer}`)
    }
  }
})

t.test('RFC 7515 §5.2: cut at any place, it is taken nowhere', async (t) => {
  for (let at = 0; at < good.length; at += 5) {
    for (const place of ['/api/token/verify/', '/introspect', '/admin/api']) {
      // Without a token, nothing is wrong with it.
      if (at === 0) continue
      const answer = await readers[place]?.(good.slice(0, at))
      if (answer !== 'refused') t.fail(`cut at ${at} at ${place}: ${answer}`)
    }
  }
})

t.test('a revoked token is revoked in each of its spellings', async (t) => {
  const token = await goodToken()
  const spellings = spellingsOf(token)
  t.equal(spellings.length, 16 + 3)
  t.equal(await revokeReader(token), 'taken')
  const places = ['/api/token/verify/', '/introspect', '/admin/api']
  for (const spelling of spellings) {
    for (const place of places) t.equal(await readers[place]?.(spelling), 'refused', `${place} ${spelling.slice(-4)}`)
  }
  t.equal(await introspectReader(good), 'taken', 'another one is not')
})

/** RFC 4648 §3.5: the last character of an RS256 signature has four bits to spare, and decoders forgive more. */
function spellingsOf(token: string): string[] {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const significant = ALPHABET.indexOf(token.at(-1) ?? '') & 0b110000
  const last = Array.from({ length: 16 }, (_, bits) => token.slice(0, -1) + ALPHABET[significant | bits])
  const [header = '', payload = '', signature = ''] = token.split('.')
  const standard = signature.replaceAll('-', '+').replaceAll('_', '/')
  return [...last, `${token}==`, `${header}.${payload}.${standard}`, `${header}.${payload}=.${signature}`]
}

t.test('RFC 7519 §4.1.6: an iat to come is no reason to refuse: our clock may have been put back', async (t) => {
  for (const [place, read] of Object.entries(readers)) {
    const token = await signToken(ours, { ...claimsOf(good), jti: place, iat: NOW + 60 })
    t.equal(await read(token), 'taken', place)
  }
})

t.test('RFC 9068 §4: the admin API takes tokens for itself only', async (t) => {
  const claims = claimsOf(good)
  const others = [server.issuer, `${admin_resource}/`, 'https://api.example.com', [], [server.issuer], '', null, 5, {}]
  for (const aud of others) {
    t.equal(await adminReader(await signToken(ours, { ...claims, aud })), 'refused', JSON.stringify(aud))
  }
  const both = await signToken(ours, { ...claims, aud: [server.issuer, admin_resource] })
  t.equal(await adminReader(both), 'taken', 'RFC 7519 §4.1.3: one of several is enough')
  t.equal(await adminReader(await signToken(ours, { ...claims, scope: undefined })), 'refused', 'no scope')
})

t.test('a key that has been replaced verifies what it signed; one dropped in an emergency nothing', async (t) => {
  const { keys } = server.deps
  const before = await goodToken()
  await keys.rotate({ force: true, emergency: false, actor: 'test' })
  const after = await goodToken()
  const places = ['/api/token/verify/', '/introspect', '/admin/api']
  for (const place of places) {
    t.equal(await readers[place]?.(before), 'taken', place)
    t.equal(await readers[place]?.(after), 'taken', place)
  }
  await keys.rotate({ force: false, emergency: true, actor: 'test' })
  const last = await goodToken()
  for (const [place, read] of Object.entries(readers)) {
    for (const token of [before, after]) t.equal(await read(token), 'refused', place)
    t.equal(await read(last), 'taken', place)
  }
})

t.test('tokens of people: UserInfo, token exchange, hints', async (t) => {
  const client = await server.createClient({
    ...WEB_CLIENT,
    client_secret: SECRET,
    grant_types: ['authorization_code', TOKEN_EXCHANGE_GRANT],
    post_logout_redirect_uris: ['https://app.example/out'],
  })
  const web = basic('web', SECRET)
  const alice = await server.createAccount()
  const key = await stolenKey(server.deps)
  const code = codeForm(client, await codeFor(server, client, alice))
  const { access_token, id_token } = (await server.postForm('/token', code, web)).json()
  const refusedBy = (pattern: RegExp, { statusCode, body, headers }: Awaited<ReturnType<typeof server.inject>>) => {
    if (statusCode === 200 || String(headers.location).startsWith('https://app.example/out')) return 'taken'
    return pattern.test(`${statusCode} ${body}${String(headers.location)}`) ? 'refused' : `${statusCode} ${body}`
  }
  const bearers: Record<string, Reader> = {
    userinfo: async (token) => {
      const headers = { authorization: `Bearer ${token}` }
      return refusedBy(/^401 .*invalid_token/, await server.inject({ url: '/userinfo', headers }))
    },
    'userinfo, in a form': async (token) =>
      refusedBy(/^40[01] |^413 /, await server.postForm('/userinfo', { access_token: token })),
    subject_token: async (subject_token) => {
      const form = { grant_type: TOKEN_EXCHANGE_GRANT, subject_token_type: ACCESS_TOKEN_TYPE, subject_token }
      return refusedBy(/^400 .*invalid_request|^413 /, await server.postForm('/token', form, web))
    },
  }
  const hints: Record<string, Reader> = {
    'id_token_hint at logout': async (id_token_hint) => {
      const query = { id_token_hint, post_logout_redirect_uri: 'https://app.example/out' }
      return refusedBy(
        /^400 |^414 |^431 /,
        await server.inject({ url: `/logout?${new URLSearchParams(query).toString()}` }),
      )
    },
    'id_token_hint at PAR': async (id_token_hint) => {
      const query = { response_type: 'code', scope: 'openid', redirect_uri: WEB_CLIENT.redirect_uris[0] }
      const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', id_token_hint }
      const answer = await server.postForm('/par', { ...query, ...pkce }, web)
      return answer.statusCode === 201 ? 'taken' : refusedBy(/^400 .*invalid_request|^413 /, answer)
    },
  }
  for (const [good, kind, readers] of [
    [access_token, ACCESS_TOKEN, bearers],
    [id_token, ID_TOKEN, hints],
  ] as const) {
    const forged = [
      ...(await forgeries(good, key, NOW, kind)),
      ['RFC 8725 §3.12: the other token', kind === ACCESS_TOKEN ? id_token : access_token] as const,
    ]
    for (const [place, read] of Object.entries(readers)) {
      t.equal(await read(good), 'taken', place)
      for (const [title, token] of forged) {
        if (place === 'userinfo' && /[^\x20-\x7e]/.test(token)) continue
        const answer = await read(token)
        if (answer !== 'refused') t.fail(`${title} at ${place}: ${answer.slice(0, 300)}`)
      }
      t.equal(await read(good), 'taken', `${place}, afterwards`)
    }
  }
})
