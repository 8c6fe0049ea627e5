/** The Django example under gunicorn, beside an issuer that also makes tokens nobody should. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { apiClient, type Get, refusal } from '../helpers/api_client.ts'
import { startProgram } from '../helpers/child_process.ts'
import { hostileTokens } from '../helpers/hostile_tokens.ts'
import { INSTALL_SECONDS, pythonPackages } from '../helpers/python.ts'
import { flowWithGatehouse } from '../helpers/resource_server_flow.ts'
import { makeSigningKey, type StandInIssuer, startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const PROJECT = new URL('../../examples/django_resource_server/', import.meta.url).pathname
const WORKERS = 2

/** Starts the example, which ends with the test. @returns sends it a request */
async function startApi(test: Test, bin: string, issuer: { issuer: string; audience: string }): Promise<Get> {
  const api = await startProgram({
    command: join(bin, 'gunicorn'),
    args: ['wsgi', `--workers=${WORKERS}`, '--bind=127.0.0.1:0', '--no-control-socket'],
    cwd: PROJECT,
    env: { ISSUER: issuer.issuer, AUDIENCE: issuer.audience, PYTHONDONTWRITEBYTECODE: '1' },
    ready: /Listening at: (\S+)/,
  })
  test.teardown(() => api.stop())
  return apiClient(String(api.match[1]))
}

/** Each worker keeps its own keys. Sends requests until each has asked the issuer once more. */
async function reachEachWorker(issuer: StandInIssuer, request: () => Promise<Response>): Promise<Set<number>> {
  const enough = issuer.jwks_requests + WORKERS
  const statuses = new Set<number>()
  const deadline = performance.now() + 15_000
  while (issuer.jwks_requests < enough && performance.now() < deadline) {
    for (const { status } of await Promise.all([request(), request(), request(), request()])) statuses.add(status)
  }
  if (issuer.jwks_requests < enough) throw new Error('not every worker asked for the keys')
  return statuses
}

t.setTimeout((INSTALL_SECONDS + 60) * 1_000)
const python = await pythonPackages(join(PROJECT, 'requirements.txt'))

if ('unavailable' in python) {
  const said = `SKIPPED: no Python packages: ${python.unavailable}`
  process.stderr.write(`test/examples/django.test.ts ${said}\n`)
  t.pass('the Django example', { skip: said })
} else {
  const { bin } = python

  t.test('tokens', async (t) => {
    const issuer = await startStandInIssuer(t)
    const get = await startApi(t, bin, issuer)

    const me = await get('/me/', await issuer.token())
    t.equal(me.status, 200, 'RFC 9068 §4: a good token is taken')
    t.match(await me.json(), { iss: issuer.issuer, sub: 'account_1', client_id: 'app' }, 'its claims are at hand')

    const just_over = await issuer.token({ exp: Math.floor(Date.now() / 1000) - 5 })
    t.equal((await get('/me/', just_over)).status, 200, 'RFC 7519 §4.1.4: clocks may differ by a few seconds')

    for (const claim of ['sub', 'jti', 'iss', 'token_type']) {
      const response = await get('/me/', await issuer.token({ [claim]: undefined }))
      t.equal(response.status, 401, `refused: a token without ${claim}`)
    }
    for (const { title, token } of await hostileTokens(issuer)) {
      t.strictSame(await refusal(get('/me/', token)), [401, 'Bearer realm="api"'], `refused: ${title}`)
    }
    t.strictSame(await refusal(get('/me/')), [401, 'Bearer realm="api"'], 'RFC 6750 §3: no token')
    t.equal((await get('/me/', await issuer.token())).status, 200, 'the next honest request works')
  })

  t.test('scopes', async (t) => {
    const issuer = await startStandInIssuer(t)
    const get = await startApi(t, bin, issuer)

    t.equal((await get('/read/', await issuer.token({ scope: 'write read' }))).status, 200, 'the scope is there')
    for (const scope of ['write', 'reader', 'READ', '', undefined]) {
      t.strictSame(
        await refusal(get('/read/', await issuer.token({ scope }))),
        [403, 'Bearer realm="api", error="insufficient_scope", scope="read"'],
        `RFC 6750 §3.1: scope ${JSON.stringify(scope)} is not read`,
      )
    }
    t.equal((await get('/read/')).status, 401, 'without a token the question of scope does not arise')
  })

  t.test('rotation', async (t) => {
    const issuer = await startStandInIssuer(t)
    const get = await startApi(t, bin, issuer)
    const before = await issuer.token()
    await reachEachWorker(issuer, () => get('/me/', before))
    await sleep(1_100)

    issuer.keys = [await makeSigningKey()]
    t.equal((await get('/me/', before)).status, 200, 'the set is kept for a while')
    const after = await issuer.token()
    const statuses = await reachEachWorker(issuer, () => get('/me/', after))
    t.strictSame([...statuses], [200], 'a key rotated in a moment ago is fetched at once, by every worker')
    const old = await Promise.all(Array.from({ length: 8 }, () => get('/me/', before)))
    t.ok(
      old.every(({ status }) => status === 401),
      'a key rotated out is gone with it',
    )
  })

  t.test('an issuer that is down', async (t) => {
    const issuer = await startStandInIssuer(t)
    const get = await startApi(t, bin, issuer)
    const token = await issuer.token()
    await reachEachWorker(issuer, () => get('/me/', token))
    await issuer.down()
    const during = await Promise.all(Array.from({ length: 8 }, () => get('/me/', token)))
    t.ok(
      during.every(({ status }) => status === 200),
      'does not stop tokens from being verified',
    )
    t.equal((await get('/me/', await issuer.token({}, { kid: 'unheard-of' }))).status, 401, 'nor lets others in')
  })

  t.test('with Gatehouse', (t) => flowWithGatehouse(t, (trusted) => startApi(t, bin, trusted), '/me/'))
}
