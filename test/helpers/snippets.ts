/** What `gatehouse snippet` prints, as a test runs it, and what every one of them has to let in and to refuse. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { Test } from 'tap'
import { apiClient, type Get } from './api_client.ts'
import { runInProcess } from './cli.ts'
import { hostileTokens } from './hostile_tokens.ts'
import { eventually } from './nginx.ts'
import { makeSigningKey, type StandInIssuer, signToken } from './stand_in_issuer.ts'

export const SCOPE = 'orders:read'

/** Writes the files of a snippet. @returns their folder */
export async function writeSnippet(
  stack: string,
  folder: string,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
): Promise<string> {
  const options = ['--issuer', issuer, '--audience', audience, '--scope', SCOPE, '--output', folder]
  const { code, stderr } = await runInProcess(['snippet', stack, ...options], {})
  if (code !== 0) throw new Error(stderr)
  return folder
}

/** The one file of a snippet. */
export async function snippetText(stack: string, issuer: string, audience: string): Promise<string> {
  const options = ['--issuer', issuer, '--audience', audience, '--scope', SCOPE]
  const { code, stdout, stderr } = await runInProcess(['snippet', stack, ...options], {})
  if (code !== 0) throw new Error(stderr)
  return stdout
}

/** Waits until a server answers at all. */
export async function apiAt(port: number, seconds = 20): Promise<Get> {
  const get = apiClient(`http://127.0.0.1:${port}`)
  await eventually(
    () =>
      get('/orders').then(
        () => true,
        () => false,
      ),
    seconds,
  )
  return get
}

/** What holds for every verifier of RFC 9068 tokens. @param without_scope what a token without the scope gets */
export async function judgeVerifier(t: Test, issuer: StandInIssuer, get: Get, without_scope = 403): Promise<void> {
  const scope = `openid ${SCOPE}`
  const good = await get('/orders', await issuer.token({ scope }))
  t.equal(good.status, 200, 'a good token passes')
  t.strictSame(await good.json(), { sub: 'account_1' })
  const several = await issuer.token({ scope, aud: ['https://other.example', issuer.audience] })
  t.equal((await get('/orders', several)).status, 200, 'RFC 7519 §4.1.3: one of several audiences')

  const none = await get('/orders')
  t.equal(none.status, 401, 'RFC 6750 §3: no token')
  t.match(none.headers.get('www-authenticate'), /^Bearer/)
  // Whether a signature by the only key needs a kid is a matter of taste.
  const hostile = (await hostileTokens(issuer)).filter(({ title }) => title !== 'no kid')
  t.ok(hostile.length > 15, 'they were found at all')
  for (const { title, token } of hostile) t.equal((await get('/orders', token)).status, 401, `refused: ${title}`)
  const forged = await signToken(await makeSigningKey(), issuer.claims({ scope }))
  t.equal((await get('/orders', forged)).status, 401, 'refused: a key that nobody published')

  for (const other of ['orders', 'orders:readonly', 'ORDERS:READ', 'xorders:read', '', undefined]) {
    const { status } = await get('/orders', await issuer.token({ scope: other }))
    t.equal(status, without_scope, `RFC 6750 §3.1: scope ${JSON.stringify(other)}`)
  }
  t.equal((await get('/orders', await issuer.token({ scope }))).status, 200, 'the next honest request works')
}

/** RFC 7800 §3.1: a token that is bound to a key is no bearer token. */
export async function judgeBound(t: Test, issuer: StandInIssuer, get: Get): Promise<void> {
  const bound = await issuer.token({ scope: SCOPE, cnf: { jkt: 'x' } })
  t.equal((await get('/orders', bound)).status, 401, 'RFC 9449 §7.2: bound, sent as a bearer token')
}

/** With an issuer that is down: good tokens pass for as long as the keys are kept, and a bad one is no outage. */
export async function judgeOutage(t: Test, issuer: StandInIssuer, get: Get, unknown_kid: readonly number[]) {
  const token = await issuer.token({ scope: SCOPE })
  await get('/orders', token)
  await issuer.down()
  t.equal((await get('/orders', token)).status, 200, 'the keys are kept while the issuer is down')
  const { status } = await get('/orders', await issuer.token({ scope: SCOPE }, { kid: 'unheard-of' }))
  t.ok(unknown_kid.includes(status), `an unknown kid while the issuer is down: ${status}`)
}

interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** What stands behind a proxy, or around a handler. It ends with the test. @returns host and port */
export async function serve(
  t: Pick<Test, 'teardown'>,
  handle: (request: IncomingMessage) => Answer | Promise<Answer>,
): Promise<string> {
  const answer = async (request: IncomingMessage) => handle(request)
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status = 200, headers = {}, body }) => response.writeHead(status, headers).end(body),
      (error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `127.0.0.1:${address.port}`
}
