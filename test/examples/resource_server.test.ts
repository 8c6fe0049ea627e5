/** The fastify example, as a program of its own, beside an issuer that also makes tokens nobody should. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { apiClient, type Get, refusal } from '../helpers/api_client.ts'
import { startProgram } from '../helpers/child_process.ts'
import { hostileTokens } from '../helpers/hostile_tokens.ts'
import { flowWithGatehouse } from '../helpers/resource_server_flow.ts'
import { makeSigningKey, signToken, startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const PROGRAM = new URL('../../examples/resource_server/index.ts', import.meta.url).pathname

/** Starts the example, which ends with the test. @returns sends it a request */
async function startApi(test: Test, issuer: { issuer: string; audience: string }): Promise<Get> {
  const api = await startProgram({
    command: process.execPath,
    args: [PROGRAM, '--issuer', issuer.issuer, '--audience', issuer.audience, '--port', '0'],
    ready: /Listening on (\S+)/,
  })
  test.teardown(() => api.stop())
  return apiClient(String(api.match[1]))
}

t.test('tokens', async (t) => {
  const issuer = await startStandInIssuer(t)
  const get = await startApi(t, issuer)

  const me = await get('/me', await issuer.token())
  t.equal(me.status, 200, 'RFC 9068 §4: a good token is taken')
  t.match(await me.json(), { iss: issuer.issuer, sub: 'account_1', client_id: 'app' }, 'its claims are at hand')

  const just_over = await issuer.token({ exp: Math.floor(Date.now() / 1000) - 5 })
  t.equal((await get('/me', just_over)).status, 200, 'RFC 7519 §4.1.4: clocks may differ by a few seconds')

  const several = await issuer.token({ aud: ['https://other.example', issuer.audience] })
  t.equal((await get('/me', several)).status, 200, 'RFC 7519 §4.1.3: one of several audiences is enough')

  for (const claim of ['sub', 'iat', 'jti', 'client_id', 'iss']) {
    const response = await get('/me', await issuer.token({ [claim]: undefined }))
    t.equal(response.status, 401, `RFC 9068 §2.2: refused: a token without ${claim}`)
  }
  const typ_jwt = await issuer.token({}, { typ: 'JWT' })
  t.equal((await get('/me', typ_jwt)).status, 401, 'RFC 9068 §4: refused: typ JWT, whatever the claims')

  for (const { title, token } of await hostileTokens(issuer)) {
    t.strictSame(await refusal(get('/me', token)), [401, 'Bearer error="invalid_token"'], `refused: ${title}`)
  }

  t.strictSame(await refusal(get('/me')), [401, 'Bearer'], 'RFC 6750 §3.1: no token, no error code')
  t.equal((await get('/me', await issuer.token())).status, 200, 'the next honest request works')
})

t.test('scopes', async (t) => {
  const issuer = await startStandInIssuer(t)
  const get = await startApi(t, issuer)

  t.equal((await get('/read', await issuer.token({ scope: 'write read' }))).status, 200, 'the scope is there')
  for (const scope of ['write', 'reader', 'READ', '', undefined]) {
    t.strictSame(
      await refusal(get('/read', await issuer.token({ scope }))),
      [403, 'Bearer error="insufficient_scope", scope="read"'],
      `RFC 6750 §3.1: scope ${JSON.stringify(scope)} is not read`,
    )
  }
  t.equal((await get('/read')).status, 401, 'without a token the question of scope does not arise')
})

t.test('rotation', async (t) => {
  const issuer = await startStandInIssuer(t)
  const get = await startApi(t, issuer)
  const before = await issuer.token()
  t.equal((await get('/me', before)).status, 200)

  issuer.keys = [await makeSigningKey()]
  t.equal((await get('/me', before)).status, 200, 'the set is kept for its max-age')
  t.equal((await get('/me', await issuer.token())).status, 200, 'a key rotated in a moment ago is fetched at once')
  t.equal(issuer.jwks_requests, 2, 'by one more request')
  t.equal((await get('/me', before)).status, 401, 'a key rotated out is gone with it')

  const flood = Array.from({ length: 40 }, async (_, i) => get('/me', await issuer.token({}, { kid: `made-up-${i}` })))
  t.ok((await Promise.all(flood)).every(({ status }) => status === 401))
  t.equal(issuer.jwks_requests, 3, 'made-up kids cost the issuer one request per cool-down, however many come')
})

t.test('a key rotated out is refused once the max-age of the set is over', async (t) => {
  const issuer = await startStandInIssuer(t)
  issuer.max_age_seconds = 1
  const get = await startApi(t, issuer)
  const before = await issuer.token()
  t.equal((await get('/me', before)).status, 200)
  issuer.keys = [await makeSigningKey()]
  await sleep(1_100)
  t.equal((await get('/me', before)).status, 401)
})

t.test('an issuer that is down', async (t) => {
  const issuer = await startStandInIssuer(t)
  issuer.max_age_seconds = 1
  const get = await startApi(t, issuer)
  t.equal((await get('/me', await issuer.token())).status, 200)

  await issuer.down()
  t.equal((await get('/me', await issuer.token())).status, 200, 'does not stop tokens from being verified')
  await sleep(1_100)
  t.equal((await get('/me', await issuer.token())).status, 200, 'not even when the keys are past their time')
  const foreign = await signToken(await makeSigningKey(issuer.keys[0].kid), issuer.claims())
  t.equal((await get('/me', foreign)).status, 401, 'nor does it let anything else in')

  const late = await startApi(t, issuer)
  t.equal((await late('/me', await issuer.token())).status, 503, 'without any keys it is the API that is not ready')
})

t.test('with Gatehouse', (t) => flowWithGatehouse(t, (trusted) => startApi(t, trusted), '/me'))
