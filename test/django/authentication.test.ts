/** A site with gatehouse_drf beside an issuer that also makes tokens nobody should. */
import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { refusal } from '../helpers/api_client.ts'
import { DJANGO_VERSIONS, djangoPackages, djangoSite, startSite } from '../helpers/django.ts'
import { hostileTokens } from '../helpers/hostile_tokens.ts'
import { INSTALL_SECONDS } from '../helpers/python.ts'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const SECRET = 'the secret of a site that moves, of some length'
const CHALLENGE = 'Bearer realm="api"'
const REFUSED =
  'Bearer realm="api", error="invalid_token", error_description="The access token is invalid, expired or revoked."'

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** As simplejwt made them. */
function legacyToken(claims: Record<string, unknown>): string {
  const now = Math.floor(Date.now() / 1_000)
  const all = { token_type: 'access', jti: 'a', iat: now, exp: now + 300, ...claims }
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(all)}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}

t.setTimeout((INSTALL_SECONDS + 60) * 2_000)
for (const version of DJANGO_VERSIONS) {
  const python = await djangoPackages(version)
  const skip = 'unavailable' in python && `no Python packages: ${python.unavailable}`
  if (skip) process.stderr.write(`test/django/authentication.test.ts SKIPPED: ${skip}\n`)

  t.test(`Django ${version}`, { skip }, async (t) => {
    if ('unavailable' in python) return
    const issuer = await startStandInIssuer(t)
    const until = new Date(Date.now() + 3_600_000).toISOString().replace('Z', '+00:00')
    const gatehouse = {
      ISSUER: issuer.issuer,
      AUDIENCE: issuer.audience,
      ON_ROLES: 'hooks.on_roles',
      COOL_DOWN: 0.5,
      LEGACY: { SIGNING_KEY: SECRET, UNTIL: until, SCOPE: 'read' },
    }
    const site = await djangoSite(t, python.bin, { gatehouse })
    const { get, url, program } = await startSite(t, site, { workers: 2 })
    const authorized = (authorization: string, path = '/me/', method = 'GET') =>
      fetch(`${url}${path}`, { method, headers: { authorization } })

    t.test('RFC 9068 §4: good tokens are taken, others get a challenge', async (t) => {
      const me = await get('/me/', await issuer.token())
      t.equal(me.status, 200)
      t.match(await me.json(), { username: 'account_1', is_legacy: false, claims: { client_id: 'app' } })
      for (const { title, token } of await hostileTokens(issuer)) {
        t.strictSame(await refusal(get('/me/', token)), [401, REFUSED], title)
      }
      t.strictSame(await refusal(get('/me/')), [401, CHALLENGE], 'RFC 6750 §3.1: no token, no error')
      t.strictSame(
        await refusal(get('/open/', 'garbage')),
        [401, REFUSED],
        'a bad token is refused where none is needed',
      )
      t.equal((await get('/open/')).status, 200)
      t.equal((await authorized(`bearer ${await issuer.token()}`)).status, 200, 'RFC 9110 §11.1: in any case')
    })

    t.test('RFC 6750 §3.1: a request that is malformed', async (t) => {
      const token = await issuer.token()
      for (const value of ['Bearer', 'Bearer ', `Bearer ${token} ${token}`, 'Bearer a b', 'Bearer \u00e9']) {
        const [status, challenge] = await refusal(authorized(value))
        t.equal(status, 400, value.slice(0, 20))
        t.match(challenge, /error="invalid_request"/)
      }
      for (const value of ['Basic YTpi', `JWT ${token}`, 'Bearerx', token]) {
        t.strictSame(await refusal(authorized(value)), [401, CHALLENGE], 'another scheme is no token')
      }
      t.equal((await get(`/me/?access_token=${token}`)).status, 401, 'RFC 9700 §4.3.2: none in the address')
    })

    t.test('RFC 6750 §3.1: insufficient_scope', async (t) => {
      const needs = (scope: string) => `Bearer realm="api", error="insufficient_scope", scope="${scope}"`
      const read = await issuer.token({ scope: 'read' })
      t.equal((await get('/read/', read)).status, 200)
      for (const scope of ['write', 'reader', 'READ', '', undefined]) {
        t.strictSame(await refusal(get('/read/', await issuer.token({ scope }))), [403, needs('read')], `${scope}`)
      }
      t.equal((await get('/by-method/', read)).status, 200)
      t.strictSame(await refusal(authorized(`Bearer ${read}`, '/by-method/', 'POST')), [403, needs('read write')])
      t.equal((await authorized(`Bearer ${await issuer.token()}`, '/by-method/', 'POST')).status, 200)
      for (const method of ['DELETE', 'PUT', 'PATCH']) {
        t.equal((await authorized(`Bearer ${read}`, '/by-method/', method)).status, 405, method)
      }
      t.equal((await authorized(`Bearer ${read}`, '/by-method/', 'OPTIONS')).status, 200)
      t.equal((await get('/read/')).status, 401, 'without a token the question does not arise')
      t.equal((await get('/either/', read)).status, 403, 'one of two permissions')
      t.equal((await get('/either/', await issuer.token())).status, 200)
      t.equal(
        (await get('/either/', await issuer.token({ scope: 'read', roles: ['staff'] }))).status,
        200,
        'or the other',
      )
    })

    t.test('a person who comes with many requests at once is one user', async (t) => {
      const token = await issuer.token({ sub: 'racer' })
      const responses = await Promise.all(Array.from({ length: 24 }, () => get('/me/', token)))
      const bodies = (await Promise.all(responses.map((response) => response.json()))) as {
        id: string
        worker: number
      }[]
      t.strictSame(new Set(responses.map(({ status }) => status)), new Set([200]))
      t.equal(new Set(bodies.map(({ id }) => id)).size, 1)
      t.equal(new Set(bodies.map(({ worker }) => worker)).size, 2, 'by both workers')
    })

    t.test("the site's own tokens, within the window", async (t) => {
      await site.manage(
        'shell',
        '-c',
        "from django.contrib.auth.models import User; User(id=77, username='old').save()",
      )
      const me = await get('/me/', legacyToken({ user_id: '77' }))
      t.match(await me.json(), { username: 'old', is_legacy: true })
      t.equal((await get('/read/', legacyToken({ user_id: '77' }))).status, 200)
      t.equal((await get('/me/', legacyToken({ user_id: '78' }))).status, 401, 'nobody')
      t.equal((await get('/me/', legacyToken({ user_id: '77', token_type: 'refresh' }))).status, 401)
    })

    t.test('an issuer that is down', async (t) => {
      const token = await issuer.token()
      await issuer.down()
      // The last look for an unknown key is forgotten.
      await sleep(600)
      const during = await Promise.all(Array.from({ length: 8 }, () => get('/me/', token)))
      t.strictSame(new Set(during.map(({ status }) => status)), new Set([200]), 'does not stop known keys')
      t.equal(
        (await get('/me/', await issuer.token({}, { kid: 'unheard-of' }))).status,
        503,
        'nor refuses new ones for good',
      )

      const late = await startSite(t, site)
      const outage = await late.get('/me/', token)
      t.equal(outage.status, 503, 'no keys at all: not 401, on which clients would throw the token away')
      t.ok(Number(outage.headers.get('retry-after')) >= 1)
      t.equal(outage.headers.get('www-authenticate'), null)
      t.equal((await late.get('/me/', legacyToken({ user_id: '77' }))).status, 200, "the site's own need none")
      await issuer.up()
    })

    t.test('nothing of a token is in the log', async (t) => {
      t.match(program.output(), /a token was refused: expired/)
      t.notMatch(program.output(), /eyJ/)
    })
  })
}
