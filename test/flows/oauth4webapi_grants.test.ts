/** oauth4webapi, unchanged: every grant without a browser of the client's, and a client that registers itself. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { newInitialAccessToken } from '../../server/clients/credentials.ts'
import { DEVICE_CODE_GRANT } from '../../server/protocol/device_code.ts'
import { JWT_BEARER_GRANT } from '../../server/protocol/jwt_bearer.ts'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../server/protocol/token_exchange.ts'
import { clientKey } from '../helpers/client_keys.ts'
import { CALLBACK, type Registration, SECRET, serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import {
  clientCredentials,
  codeFlow,
  genericGrant,
  introspect,
  type Party,
  party,
  pollDevice,
  refresh,
  revoke,
  startDevice,
  through,
  userInfo,
} from '../helpers/oauth4webapi.ts'
import { type Claims, startStandInIssuer } from '../helpers/stand_in_issuer.ts'

/** Two, for a second may begin between any two requests. */
const INTERVAL_SECONDS = 2
const [ORDERS, STOCK] = ['https://orders.example', 'https://stock.example']
const CONFIDENTIAL: Registration = { client_secret: SECRET, response_types: [] }

const idp = await startStandInIssuer(t)
const served = await serveClients(t, {
  GATEHOUSE_DEVICE__INTERVAL_SECONDS: String(INTERVAL_SECONDS),
  GATEHOUSE_REGISTRATION__MODE: 'initial_access_token',
  GATEHOUSE_JWT_BEARER__ISSUERS: idp.issuer,
  GATEHOUSE_OUTBOUND__ALLOW: new URL(idp.issuer).host,
})
const key = await clientKey('ES256')
const { deps, issuer, alice, webClient, resource, decideAboutDevice } = served
for (const name of [ORDERS, STOCK]) await resource(name, ['orders'])

async function register(
  registration: Registration,
  authentication = registration.client_secret === undefined ? oauth.None() : oauth.ClientSecretBasic(SECRET),
): Promise<Party> {
  return party(served, await webClient(registration), authentication)
}

const nextInterval = () => sleep(INTERVAL_SECONDS * 1_000 + 100)

t.test('RFC 6749 §4.4: a service gets what it is registered for, and no refresh token', async (t) => {
  const grant_types = ['client_credentials', 'refresh_token']
  const known = await register({ ...CONFIDENTIAL, grant_types, scope: 'read', resources: [ORDERS, STOCK] })
  const asked = { scope: 'read', resource: STOCK }
  const tokens = await clientCredentials(known, asked)
  t.match(tokens, { token_type: 'bearer', scope: 'read', refresh_token: undefined }, '§4.4.3')
  t.match(await thrownBy(clientCredentials(known, { ...asked, scope: 'write' })), { error: 'invalid_scope' })
  const elsewhere = clientCredentials(known, { ...asked, resource: 'https://other.example' })
  t.match(await thrownBy(elsewhere), { error: 'invalid_target' }, 'RFC 8707 §2')
  const another = await register({ ...CONFIDENTIAL, grant_types: ['refresh_token'], scope: 'read' })
  t.match(await thrownBy(clientCredentials(another)), { error: 'unauthorized_client' })
})

t.test('RFC 6749 §6: a refresh token gives no more than it stands for, to no one but its client', async (t) => {
  const known = await register({ client_secret: SECRET })
  const tokens = await codeFlow(served, known)
  const refreshed = await refresh(known, tokens)
  t.match(refreshed, { token_type: 'bearer', scope: 'openid profile email', id_token: String })
  t.equal((await userInfo(known, refreshed)).sub, alice.account_id)
  const another = await register({ client_secret: SECRET })
  t.match(await thrownBy(refresh(another, refreshed)), { error: 'invalid_grant' })
  const wider = { refresh_token: refreshed.refresh_token ?? '', scope: 'openid offline_access' }
  t.match(await thrownBy(genericGrant(known, 'refresh_token', wider)), { error: 'invalid_scope' })
  t.ok(await refresh(known, refreshed), 'neither attempt has used it up')
})

t.test('RFC 8628 §3.5: pending until the person decides, and slower when asked too often', async (t) => {
  const known = await register({ grant_types: [DEVICE_CODE_GRANT], response_types: [] })
  const [patient, hasty] = [await startDevice(known), await startDevice(known)]
  t.match(patient, { interval: INTERVAL_SECONDS, expires_in: Number, verification_uri: `${issuer}/device` })
  const answer = async ({ device_code }: typeof patient) => thrownBy(pollDevice(known, device_code))
  for (const device of [patient, hasty]) t.match(await answer(device), { error: 'authorization_pending' })
  t.match(await answer(hasty), { error: 'slow_down' })
  await nextInterval()
  t.match(await answer(patient), { error: 'authorization_pending' })
  t.match(await answer(hasty), { error: 'slow_down' }, 'its interval is five seconds longer now')
})

t.test('RFC 8628 §3.4: a person lets a device in, whichever way it authenticates', async (t) => {
  const grant_types = [DEVICE_CODE_GRANT, 'refresh_token']
  const ways: [string, Registration, oauth.ClientAuth][] = [
    ['none', {}, oauth.None()],
    ['client_secret_basic', CONFIDENTIAL, oauth.ClientSecretBasic(SECRET)],
    ['private_key_jwt', signedBy(key), oauth.PrivateKeyJwt(key.private_key)],
  ]
  const letIn = async ([name, registration, authentication]: (typeof ways)[number]) => {
    const known = await register({ ...registration, grant_types, response_types: [] }, authentication)
    const { device_code, verification_uri_complete = '' } = await startDevice(known, { scope: 'openid email' })
    const stranger = await register({ grant_types, response_types: [] })
    t.match(await thrownBy(pollDevice(stranger, device_code)), { error: 'invalid_grant' }, 'another client')
    t.match(await thrownBy(pollDevice(known, `${device_code}x`)), { error: 'invalid_grant' }, 'no such code')
    await decideAboutDevice(verification_uri_complete, 'approve')
    const tokens = await pollDevice(known, device_code)
    t.equal(oauth.getValidatedIdTokenClaims(tokens)?.sub, alice.account_id, name)
    t.match(await userInfo(known, tokens), { email: 'alice@example.com' })
    const refreshed = await refresh(known, tokens)
    await nextInterval()
    t.match(await thrownBy(pollDevice(known, device_code)), { error: 'invalid_grant' }, 'a code is good once')
    t.match(await thrownBy(refresh(known, refreshed)), { error: 'invalid_grant' }, 'and its tokens end with it')
  }
  await Promise.all(ways.map(letIn))
})

t.test('RFC 8628 §3.5: a person says no, and a client that is not registered for it asks in vain', async (t) => {
  const known = await register({ grant_types: [DEVICE_CODE_GRANT], response_types: [] })
  const { device_code, verification_uri_complete = '' } = await startDevice(known, { scope: 'openid' })
  await decideAboutDevice(verification_uri_complete, 'deny')
  t.match(await thrownBy(pollDevice(known, device_code)), { error: 'access_denied' })
  t.match(await thrownBy(startDevice(known, { scope: 'admin' })), { error: 'invalid_scope' })
  t.match(await thrownBy(startDevice(await register({}))), { error: 'unauthorized_client' })
})

t.test('RFC 8693: a service acts for who called it, and nobody else does', async (t) => {
  const front = await register({ scope: 'openid read write', resources: [ORDERS] })
  const tokens = await codeFlow(served, front, { scope: 'openid read', resource: ORDERS })
  const exchanger = { ...CONFIDENTIAL, grant_types: [TOKEN_EXCHANGE_GRANT], scope: 'read write', resources: [STOCK] }
  const service = await register({ ...exchanger, client_id: 'orders' })
  const subject = { subject_token: tokens.access_token, subject_token_type: ACCESS_TOKEN_TYPE, resource: STOCK }
  const exchange = (of: Party, changes: Record<string, string> = {}) =>
    genericGrant(of, TOKEN_EXCHANGE_GRANT, { ...subject, ...changes })

  const exchanged = await exchange(service)
  t.match(exchanged, { issued_token_type: ACCESS_TOKEN_TYPE, token_type: 'bearer', scope: 'read' })
  t.notOk('refresh_token' in exchanged, '§2.2.1')
  const about = { active: true, sub: alice.account_id, aud: STOCK, act: { sub: 'orders' } }
  t.match(await introspect(service, exchanged.access_token), about, '§4.1')

  const refused: [Party, Record<string, string>, RegExp][] = [
    [service, { subject_token: `${tokens.access_token}x` }, /^invalid_request$/],
    [service, { subject_token: tokens.id_token ?? '' }, /^invalid_request$/],
    [service, { subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, /^invalid_request$/],
    [service, { scope: 'write' }, /^invalid_scope$/],
    [service, { resource: 'https://other.example' }, /^invalid_target$/],
    [await register(exchanger), {}, /^invalid_request$/],
    [front, {}, /^unauthorized_client$/],
  ]
  for (const [of, changes, error] of refused) t.match(await thrownBy(exchange(of, changes)), { error })

  await revoke(front, tokens.refresh_token ?? '')
  t.match(await introspect(service, exchanged.access_token), { active: false }, 'it ends with what it came from')
  t.match(await thrownBy(exchange(service)), { error: 'invalid_request' })
})

t.test('RFC 7523 §2.1: what another issuer says of a person becomes a token, once', async (t) => {
  const known = await register({ ...CONFIDENTIAL, grant_types: [JWT_BEARER_GRANT], scope: 'openid email' })
  let said = 0
  const say = (changes: Claims = {}) => {
    const right = {
      sub: 'alice',
      aud: issuer,
      client_id: known.client.client_id,
      jti: `said-${said++}`,
      scope: undefined,
    }
    return idp.token({ ...right, ...changes }, { typ: 'JWT' })
  }
  const exchange = (assertion: string, of = known) =>
    genericGrant(of, JWT_BEARER_GRANT, { assertion, scope: 'openid email' })

  const assertion = await say()
  const tokens = await exchange(assertion)
  t.match(tokens, { token_type: 'bearer', scope: 'openid email', refresh_token: undefined })
  t.match(await introspect(known, tokens.access_token), { active: true, sub: alice.account_id })
  const { as, client, options } = known
  const response = await oauth.userInfoRequest(as, client, tokens.access_token, options)
  const user = await oauth.processUserInfoResponse(as, client, alice.account_id, response)
  t.equal(user.email, 'alice@example.com')

  const now = Math.floor(Date.now() / 1_000)
  const bad = {
    'a second time': assertion,
    'about nobody': await say({ sub: 'nobody' }),
    'for another server': await say({ aud: 'https://other.example' }),
    'for another client': await say({ client_id: 'other' }),
    'of an issuer that nobody trusts': await say({ iss: 'https://other.example' }),
    'over for minutes': await say({ iat: now - 900, exp: now - 600 }),
  }
  for (const [what, wrong] of Object.entries(bad)) {
    t.match(await thrownBy(exchange(wrong)), { error: 'invalid_grant' }, what)
  }
  const unregistered = await register({ ...CONFIDENTIAL, grant_types: ['refresh_token'] })
  t.match(await thrownBy(exchange(await say(), unregistered)), { error: 'unauthorized_client' })
})

t.test('RFC 7591 §3: who has an initial access token registers, and uses what it is told at once', async (t) => {
  const { as } = await register({})
  const { handle, digest } = newInitialAccessToken(deps)
  const created_at = deps.clock.now()
  const token = { token_id: 'once', digest, uses_left: 1, expires_at: created_at + 600, created_at }
  await deps.store.createInitialAccessToken(token, [])
  const wanted = { client_name: 'Itself', redirect_uris: [CALLBACK], grant_types: ['authorization_code'] }
  const registerItself = async (metadata: object, initialAccessToken?: string) => {
    const presented = initialAccessToken === undefined ? {} : { initialAccessToken }
    const response = await oauth.dynamicClientRegistrationRequest(as, metadata, { ...through(), ...presented })
    return oauth.processDynamicClientRegistrationResponse(response)
  }

  t.match(await thrownBy(registerItself(wanted)), { status: 401 }, 'without one')
  const fragment = { ...wanted, redirect_uris: [`${CALLBACK}#x`] }
  t.match(await thrownBy(registerItself(fragment, handle)), { error: 'invalid_redirect_uri' })
  const { client_id, client_secret, ...told } = await registerItself(wanted, handle)
  t.match(told, {
    client_name: 'Itself',
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret_expires_at: 0,
  })
  t.match(await thrownBy(registerItself(wanted, handle)), { status: 401 }, 'it was good once')

  const secret = typeof client_secret === 'string' ? client_secret : ''
  const itself = await party(served, { client_id }, oauth.ClientSecretBasic(secret))
  const tokens = await codeFlow(served, itself)
  t.equal(oauth.getValidatedIdTokenClaims(tokens)?.sub, alice.account_id)
  t.notOk('refresh_token' in tokens, 'it is not registered for any')
  const impostor = { ...itself, authentication: oauth.ClientSecretBasic('wrong') }
  t.match(await thrownBy(codeFlow(served, impostor)), { status: 401 })
})
