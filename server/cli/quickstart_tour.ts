import { type Cli, loadConfiguration, print } from './cli.ts'
import { decodeToken, explainToken } from './decode.ts'
import { CliError } from './exit.ts'
import { basicAuthorization, formRequest, jsonRequest, request, serverUrl } from './http.ts'
import { createNarrator, type Narrator } from './narrator.ts'
import { type AdminApi, listAll, type Method, parseJson, segment, textOf } from './transport.ts'
import { verifyElsewhere } from './verify_elsewhere.ts'

interface Tour {
  readonly cli: Cli
  readonly admin: AdminApi
  readonly narrator: Narrator
  readonly issuer: string
  readonly username: string
  readonly password: string
  readonly client_id: string
  readonly username_field: string
  /** What the access tokens are for; undefined where only the server knows. */
  readonly audience: string | undefined
}

interface Tokens {
  readonly access: string
  readonly refresh: string
}

/**
 * Runs the main job on the running server and shows each exchange: sign in, verify in another process, refresh, replay,
 * revoke. The account and the client that it makes are put away again.
 *
 * @throws {CliError} at the first step that ends otherwise than it should
 */
export async function quickstart(cli: Cli, admin: AdminApi): Promise<void> {
  const tour = await prepare(cli, admin)
  const { narrator } = tour
  try {
    const introspector = await makeAccountAndClient(tour)
    const first = await signIn(tour, 'The application signs the person in')
    await showAndVerify(tour, first.access)
    await refreshAndReplay(tour, first)
    const second = await signIn(tour, 'The person signs in again')
    await revokeAsAdministrator(tour, second, introspector)
    await cleanUp(tour)
  } catch (error) {
    // What was made is put away all the same; what was never made is not missed.
    for (const [method, path] of made(tour)) await tour.admin.send(method, path).catch(() => undefined)
    throw error
  }
  narrator.say('\nEvery step ended as it should.')
  if (cli.options.json) print(cli, { ok: true, issuer: tour.issuer, steps: narrator.steps }, '')
}

async function prepare(cli: Cli, admin: AdminApi): Promise<Tour> {
  const { config } = await loadConfiguration(cli)
  const issuer = serverUrl(admin.issuer)
  const random = (length: number) => Buffer.from(cli.io.randomBytes(length)).toString('hex')
  const name = `quickstart-${random(4)}`
  // Before anything is made: is anybody there?
  const discovery = await request(`${issuer}/.well-known/openid-configuration`)
  const named = textOf(parseJson(discovery.text), 'issuer')
  if (named !== issuer) {
    throw new CliError(
      'failed',
      `The server there calls itself ${named ?? 'nothing'}, not ${issuer}.`,
      'Run: gatehouse doctor',
    )
  }
  return {
    cli,
    admin,
    narrator: createNarrator(cli),
    issuer,
    username: name,
    password: random(16),
    client_id: name,
    username_field: config.token_api.username_field,
    audience: cli.options.url === undefined ? (config.tokens.default_resource ?? issuer) : undefined,
  }
}

/** @returns the `Authorization` of a client that may introspect */
async function makeAccountAndClient(tour: Tour): Promise<string> {
  const { narrator, username, password, client_id } = tour
  narrator.step('An administrator makes an account and a client, for this tour only')
  await administer(tour, 'POST', 'accounts', 201, { username, password, name: 'Quickstart' })
  const metadata = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' }
  const client = await administer(tour, 'POST', 'clients', 201, { client_id, ...metadata, scope: 'gatehouse:read' })
  return basicAuthorization(client_id, narrator.required(textOf(client, 'client_secret'), 'a client_secret'))
}

async function signIn(tour: Tour, title: string): Promise<Tokens> {
  const { narrator, username, password, username_field } = tour
  narrator.step(title)
  const reply = await post(tour, '/api/token/', { [username_field]: username, password })
  const remedy = `Does this server use the same database as this command? If not, name the server: --url ${tour.issuer}`
  narrator.expect(reply.status === 200, 'the pair of tokens', remedy)
  return tokensOf(tour, reply.body)
}

async function showAndVerify({ narrator, audience, issuer, cli }: Tour, access: string): Promise<void> {
  narrator.step('What the access token says')
  const decoded = narrator.required(decodeToken(access), 'a JWT')
  narrator.say(explainToken(decoded, Math.floor(cli.io.now() / 1000)))
  narrator.expect(decoded.payload.iss === issuer, `iss to be ${issuer}`)

  narrator.step('A resource server verifies it: another process, which knows the URL of the issuer and nothing else')
  const expected = audience ?? String(decoded.payload.aud)
  const [good, altered] = await verifyElsewhere(issuer, expected, [access, alter(access)], cli.io)
  narrator.say(`aud ${expected}: ${good}\none character altered: ${altered}`)
  narrator.expect(good === 'accepted', 'the token to be accepted')
  narrator.expect(altered?.startsWith('refused') === true, 'the altered token to be refused')
}

async function refreshAndReplay(tour: Tour, { access, refresh: first }: Tokens): Promise<void> {
  const { narrator } = tour
  narrator.step('The application refreshes: a new pair, and the refresh token is rotated')
  const second = await refreshed(tour, first)
  narrator.expect(second !== first, 'another refresh token')

  if (await answersRetries(tour, access)) {
    narrator.step('The answer was lost, say, and it asks again: a retry gets the same successor, nobody is signed out')
    narrator.expect((await refreshed(tour, first)) === second, 'the same successor')
  }

  narrator.step('It refreshes once more')
  const third = await refreshed(tour, second)
  narrator.expect(third !== second, 'another refresh token')

  narrator.step('Somebody who copied the first refresh token replays it: refused')
  await refusedRefresh(tour, first)
  narrator.step('One of the two holders is a thief, so the grant has ended for both')
  await refusedRefresh(tour, third)
}

async function revokeAsAdministrator(tour: Tour, tokens: Tokens, introspector: string): Promise<void> {
  const { narrator, admin, username } = tour
  narrator.step('A client that may introspect asks about the new access token: it is active')
  narrator.expect((await introspect(tour, tokens.access, introspector)) === true, 'active: true')

  narrator.step('An administrator ends the grant')
  const grant_id = narrator.required(textOf(decodeToken(tokens.access)?.payload, 'grant_id'), 'a grant_id')
  const grants = await listAll(admin, 'grants', { account: username })
  narrator.expect(
    grants.some((grant) => textOf(grant, 'grant_id') === grant_id),
    'the grant in the list of the account',
  )
  await administer(tour, 'DELETE', `grants/${segment(grant_id)}`, 204)

  narrator.step('Its refresh token is refused')
  await refusedRefresh(tour, tokens.refresh)
  narrator.step('Its access token is not active any more, long before it expires')
  narrator.expect((await introspect(tour, tokens.access, introspector)) === false, 'active: false')
}

async function cleanUp(tour: Tour): Promise<void> {
  tour.narrator.step('The account is disabled and the client deleted')
  for (const [method, path] of made(tour)) await administer(tour, method, path, 204)
}

function made({ username, client_id }: Tour): readonly [method: Method, path: string][] {
  return [
    ['POST', `accounts/${username}/disable`],
    ['DELETE', `clients/${client_id}`],
  ]
}

async function administer(
  { admin, narrator, issuer }: Tour,
  method: Method,
  path: string,
  expected_status: number,
  body?: object,
): Promise<unknown> {
  const { status, text } = await admin.send(method, path, body)
  const reply = parseJson(text)
  narrator.exchange(method, `${issuer}/admin/api/${path}`, body, status, reply)
  narrator.expect(status === expected_status, `status ${expected_status}`)
  return reply
}

async function post(
  { narrator, issuer }: Tour,
  path: string,
  body: object,
): Promise<{ status: number; body: unknown }> {
  const url = `${issuer}${path}`
  const { status, text } = await request(url, jsonRequest(body))
  narrator.exchange('POST', url, body, status, parseJson(text))
  return { status, body: parseJson(text) }
}

async function refreshed(tour: Tour, refresh: string): Promise<string> {
  const { status, body } = await post(tour, '/api/token/refresh/', { refresh })
  tour.narrator.expect(status === 200, 'a new pair of tokens')
  return tokensOf(tour, body).refresh
}

async function refusedRefresh(tour: Tour, refresh: string): Promise<void> {
  const { status, body } = await post(tour, '/api/token/refresh/', { refresh })
  tour.narrator.expect(status === 401 && textOf(body, 'code') === 'token_not_valid', '401, token_not_valid')
}

/** @see [RFC 7662 §2](https://www.rfc-editor.org/rfc/rfc7662#section-2) */
async function introspect({ narrator, issuer }: Tour, token: string, authorization: string): Promise<unknown> {
  const url = `${issuer}/introspect`
  const { status, text } = await request(url, formRequest({ token }, authorization))
  const body = parseJson(text)
  narrator.exchange('POST', url, { token }, status, body)
  narrator.expect(status === 200, 'status 200')
  return typeof body === 'object' && body !== null && 'active' in body ? body.active : undefined
}

/** Whether the login API's client has a window for retries: one of the profile `strict` has none. */
async function answersRetries({ admin }: Tour, access: string): Promise<boolean> {
  const client_id = textOf(decodeToken(access)?.payload, 'client_id') ?? ''
  const { text } = await admin.send('GET', `clients/${segment(client_id)}`)
  return textOf(parseJson(text), 'refresh_token_profile') !== 'strict'
}

function tokensOf({ narrator }: Tour, body: unknown): Tokens {
  const access = narrator.required(textOf(body, 'access'), 'an access token')
  return { access, refresh: narrator.required(textOf(body, 'refresh'), 'a refresh token') }
}

/** A character in the middle of the signature: the last one may hold bits that mean nothing. */
function alter(token: string): string {
  const at = token.lastIndexOf('.') + 20
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
}
