/** Verifiers while the issuer is in trouble: whoever has a good token is not told that it is bad. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK } from 'jose'
import t, { type Test } from 'tap'
import type { VerifierOptions } from '../../resource_server/options.ts'
import { createVerifier } from '../../resource_server/verifier.ts'
import { VerifierError } from '../../resource_server/verifier_error.ts'
import { type StandInIssuer, startStandInIssuer } from '../helpers/stand_in_issuer.ts'
import { type Judge, NODE_VERIFIERS } from './third_party.ts'

/** @returns `taken`, or the status of the refusal */
function ours(t: Test, { issuer, audience }: StandInIssuer, more: Partial<VerifierOptions> = {}): Judge {
  const verifier = createVerifier({ issuer, audience, ...more })
  t.teardown(() => verifier.close())
  return (tokens) =>
    Promise.all(
      tokens.map((token) =>
        verifier.verify(token).then(
          () => 'taken',
          (error: unknown) => (error instanceof VerifierError ? String(error.status) : String(error)),
        ),
      ),
    )
}

async function everybody(t: Test, issuer: StandInIssuer): Promise<[name: string, judge: Judge][]> {
  const trusted = { ...issuer, jwks_uri: `${issuer.issuer}/.well-known/jwks.json` }
  const judges: [string, Judge][] = [['@gatehouse/resource-server', ours(t, issuer)]]
  for (const [name, make] of Object.entries(NODE_VERIFIERS)) judges.push([name, await make(t, trusted)])
  return judges
}

t.test('RFC 7517 §5: keys of other kinds in the set trouble nobody', async (t) => {
  const issuer = await startStandInIssuer(t)
  const { publicKey } = generateKeyPairSync('ed25519')
  const { publicKey: p521 } = generateKeyPairSync('ec', { namedCurve: 'P-521' })
  issuer.odd_keys = [
    { ...(await exportJWK(publicKey)), kid: 'ed25519', use: 'sig', alg: 'EdDSA' },
    { ...(await exportJWK(p521)), kid: 'p521', use: 'enc' },
    { kty: 'AKP', kid: 'post-quantum', alg: 'ML-DSA-65', pub: 'AAAA' },
  ]
  for (const [name, judge] of await everybody(t, issuer))
    t.strictSame(await judge([await issuer.token()]), ['taken'], name)
})

t.test('the issuer is down, after its keys were read: they serve on', async (t) => {
  const issuer = await startStandInIssuer(t)
  const judges = await everybody(t, issuer)
  for (const [name, judge] of judges) t.strictSame(await judge([await issuer.token()]), ['taken'], name)
  await issuer.down()
  for (const [name, judge] of judges) t.strictSame(await judge([await issuer.token({ jti: 'next' })]), ['taken'], name)
})

t.test('the issuer is down from the start: ours says 503', async (t) => {
  const issuer = await startStandInIssuer(t)
  await issuer.down()
  // Elsewhere it is for the API to tell an outage from a bad token, by the error; jwks-rsa's comes wrapped in that of a
  // bad token, told by its message alone.
  const said: Record<string, string> = {}
  for (const [name, judge] of await everybody(t, issuer))
    said[name] = (await judge([await issuer.token()]))[0]?.split(':')[0] ?? ''
  t.strictSame(said, {
    '@gatehouse/resource-server': '503',
    jose: 'failed',
    oauth4webapi: 'failed',
    // Everybody is sent to sign in again: whatever goes wrong is a bad token to it.
    'express-oauth2-jwt-bearer, strict': 'refused',
    'jwks-rsa and jsonwebtoken': 'failed',
    '@fastify/jwt, as in examples/resource_server': 'failed',
  })
})

t.test('the issuer is slow: ours waits for as long as it was told, once, and goes on with what it has', async (t) => {
  const issuer = await startStandInIssuer(t)
  let clock = Date.now() / 1_000
  const judge = ours(t, issuer, { timeout_seconds: 0.2, now: () => clock })
  const cold = ours(t, issuer, { timeout_seconds: 0.2 })
  const token = await issuer.token({ exp: clock + 10_000 })
  t.strictSame(await judge([token]), ['taken'])
  issuer.delay_milliseconds = 5_000
  const started = performance.now()
  t.strictSame(await cold([token, token, token]), ['503', '503', '503'])
  clock += 301
  t.strictSame(await judge([token, token, token]), ['taken', 'taken', 'taken'])
  t.ok(performance.now() - started < 2_000)
  clock += 86_400
  t.strictSame(
    await judge([await issuer.token({ exp: clock + 100 })]),
    ['503'],
    'a day later there is nothing to go on with',
  )
})

t.test('a key that nobody published is 401 while the issuer answers, and 503 while it does not', async (t) => {
  const issuer = await startStandInIssuer(t)
  const judge = ours(t, issuer, { cool_down_seconds: 0 })
  const unheard = await issuer.token({}, { kid: 'unheard-of' })
  t.strictSame(await judge([await issuer.token(), unheard]), ['taken', '401'])
  await issuer.down()
  t.strictSame(await judge([await issuer.token(), unheard]), ['taken', '503'])
  await issuer.up()
  t.strictSame(await judge([await issuer.token(), unheard]), ['taken', '401'])
})

t.test('the status list is down: for as long as the policy says a token is good, and then it is 503', async (t) => {
  const issuer = await startStandInIssuer(t)
  let clock = Date.now() / 1_000
  const now = () => clock
  // The stand-in has none.
  const listed = { status: { status_list: { idx: 1, uri: `${issuer.issuer}/status-lists/1` } }, exp: clock + 10_000 }
  const judge = ours(t, issuer, { now })
  const token = await issuer.token(listed)
  t.strictSame(await judge([token]), ['taken'])
  t.strictSame(await ours(t, issuer, { now, status_outage: 'refuse' })([token]), ['503'])
  clock += 3_601
  t.strictSame(
    await judge([token, await issuer.token({ exp: clock + 100 })]),
    ['503', 'taken'],
    'without a list it is no matter',
  )
})

t.test('a redirect leads nowhere: the address was checked, the next one was not', async (t) => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(302, { location: '/elsewhere' }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const verifier = createVerifier({ issuer, audience: 'x', jwks_uri: `${issuer}/jwks` })
  const another = await startStandInIssuer(t)
  t.match(await verifier.verify(await another.token()).catch((error: unknown) => error), { status: 503 })
  t.strictSame(asked, ['/jwks'])
})
