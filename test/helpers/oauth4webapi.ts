/** oauth4webapi as a client has it, which is step by step, with each check that it can make. */
import * as oauth from 'oauth4webapi'
import type { Client } from '../../server/protocol/client.ts'
import { CALLBACK, type ServedClients } from './clients.ts'

/** A client, and how it reaches the server. */
export interface Party {
  readonly as: oauth.AuthorizationServer
  readonly client: oauth.Client
  readonly authentication: oauth.ClientAuth
  readonly options: Options
}

export interface Options {
  readonly DPoP?: oauth.DPoPHandle
  readonly [oauth.allowInsecureRequests]: boolean
  readonly [oauth.customFetch]: (url: string, options: object) => Promise<Response>
}

export function through(send: typeof fetch = fetch): Options {
  return { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: (url, options) => send(url, options) }
}

export async function party(
  { issuer }: Pick<ServedClients, 'issuer'>,
  { client_id, id_token_signed_response_alg }: Pick<Client, 'client_id' | 'id_token_signed_response_alg'>,
  authentication: oauth.ClientAuth,
  options: Options = through(),
): Promise<Party> {
  const response = await oauth.discoveryRequest(new URL(issuer), options)
  const as = await oauth.processDiscoveryResponse(new URL(issuer), response)
  const alg = id_token_signed_response_alg
  const client = { client_id, ...(alg !== undefined && { id_token_signed_response_alg: alg }) }
  return { as, client, authentication, options }
}

/** Once more with the nonce, when the server asks for one (RFC 9449 §8). */
export function withNonce<T>(work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => {
    if (oauth.isDPoPNonceError(error)) return work()
    throw error
  })
}

/** Pushes the request, and gives what is left of it (RFC 9126). */
export async function push(
  { as, client, authentication, options }: Party,
  parameters: Record<string, string>,
): Promise<Record<string, string>> {
  const { request_uri } = await withNonce(async () => {
    const response = await oauth.pushedAuthorizationRequest(as, client, authentication, parameters, options)
    return oauth.processPushedAuthorizationResponse(as, client, response)
  })
  return { client_id: client.client_id, request_uri }
}

/** From the authorization request to verified tokens. @param send how the request is put to the server */
export async function codeFlow(
  { visit }: Pick<ServedClients, 'visit'>,
  of: Party,
  changes: Record<string, string> = {},
  send: (of: Party, parameters: Record<string, string>) => Promise<Record<string, string>> = async (_of, all) => all,
): Promise<oauth.TokenEndpointResponse> {
  const { as, client, authentication, options } = of
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, expectedNonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const sent = await send(of, {
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce: expectedNonce,
    max_age: '300',
    ...changes,
  })
  const { url } = await visit(`${as.authorization_endpoint}?${new URLSearchParams(sent).toString()}`)
  // RFC 9207: `iss` is demanded, since the metadata announces it.
  const answer = url.searchParams.has('response')
    ? await oauth.validateJwtAuthResponse(as, client, url, state, options)
    : oauth.validateAuthResponse(as, client, url, state)
  return withNonce(async () => {
    const { authorizationCodeGrantRequest: exchange, processAuthorizationCodeResponse: process } = oauth
    const response = await exchange(as, client, authentication, answer, CALLBACK, verifier, options)
    const tokens = await process(as, client, response, { expectedNonce, maxAge: 300, requireIdToken: true })
    await oauth.validateApplicationLevelSignature(as, response, options)
    return tokens
  })
}

/** @param tokens as they were answered: oauth4webapi knows them again */
export function userInfo({ as, client, options }: Party, tokens: oauth.TokenEndpointResponse) {
  const sub = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? ''
  return withNonce(async () => {
    const response = await oauth.userInfoRequest(as, client, tokens.access_token, options)
    return oauth.processUserInfoResponse(as, client, sub, response)
  })
}

export function refresh(
  { as, client, authentication, options }: Party,
  { refresh_token = '' }: oauth.TokenEndpointResponse,
) {
  return withNonce(async () => {
    const response = await oauth.refreshTokenGrantRequest(as, client, authentication, refresh_token, options)
    return oauth.processRefreshTokenResponse(as, client, response)
  })
}

/** What a token tells a confidential client. */
export async function introspect({ as, client, authentication, options }: Party, token: string) {
  const response = await oauth.introspectionRequest(as, client, authentication, token, options)
  return oauth.processIntrospectionResponse(as, client, response)
}

export async function revoke({ as, client, authentication, options }: Party, token: string): Promise<void> {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, token, options))
}

export async function clientCredentials({ as, client, authentication, options }: Party, parameters = {}) {
  return withNonce(async () => {
    const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, options)
    return oauth.processClientCredentialsResponse(as, client, response)
  })
}

/** Any other grant type. */
export async function genericGrant(
  { as, client, authentication, options }: Party,
  grant_type: string,
  parameters: Record<string, string>,
) {
  const response = await oauth.genericTokenEndpointRequest(as, client, authentication, grant_type, parameters, options)
  return oauth.processGenericTokenEndpointResponse(as, client, response)
}

/** What a device shows its person (RFC 8628 §3.2). */
export async function startDevice({ as, client, authentication, options }: Party, parameters = {}) {
  const response = await oauth.deviceAuthorizationRequest(as, client, authentication, parameters, options)
  return oauth.processDeviceAuthorizationResponse(as, client, response)
}

/** Asks once. */
export async function pollDevice({ as, client, authentication, options }: Party, device_code: string) {
  const response = await oauth.deviceCodeGrantRequest(as, client, authentication, device_code, options)
  return oauth.processDeviceCodeResponse(as, client, response)
}
