import type { FastifyRequest } from 'fastify'
import { clientSecret, newRegistrationAccessToken } from '../clients/credentials.ts'
import { documentOf, isVouchedFor, selfRegisteredMetadata } from '../clients/self_registration.ts'
import { withSoftwareStatement } from '../clients/software_statement.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { FROM_ANY_ORIGIN } from '../http/cors.ts'
import { parseJson } from '../http/json_body.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Client, MADE_BY_ADMIN } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { presentedToken } from '../protocol/presented_token.ts'
import { randomId } from '../protocol/random_id.ts'
import { registrationLimits } from '../protocol/throttle.ts'
import { describeClient, type IssuedCredentials } from './client_information.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'
import { registrationManagement } from './registration_management.ts'

/**
 * Clients register themselves.
 *
 * @see [RFC 7591 §3](https://www.rfc-editor.org/rfc/rfc7591#section-3)
 * @see [OpenID Connect Registration 1.0 §3](https://openid.net/specs/openid-connect-registration-1_0.html#ClientRegistration)
 */
export const registration: Endpoint = {
  name: 'registration_endpoint',
  spec: 'RFC 7591 §3',
  scope: 'machine',
  metadata: ({ issuer, registration: { mode, metadata_documents } }) => ({
    ...(mode === 'off' ? {} : { registration_endpoint: `${issuer}/register` }),
    ...(metadata_documents ? { client_id_metadata_document_supported: true } : {}),
  }),
  plugin: (deps) => async (app) => {
    if (deps.config.registration.mode === 'off') return
    // RFC 7591 §3.1
    const notJson = () => new OAuthError('invalid_client_metadata', 'the body is not valid JSON')
    parseJson(app, deps.config.http.body_limit_bytes, notJson)
    app.post('/register', FROM_ANY_ORIGIN, async (request, reply) => {
      const initial_access_token_digest = await admit(deps, request)
      const document = documentOf(request.body)
      const said = await withSoftwareStatement(deps, document)
      const metadata = await selfRegisteredMetadata(deps, said, undefined, isVouchedFor(deps.config))
      const { client_secret_digest, issued_secret } = clientSecret(deps, metadata, null)
      const { handle, digest } = newRegistrationAccessToken(deps)
      const now = deps.clock.now()
      const client: Client = {
        ...metadata,
        ...MADE_BY_ADMIN,
        origin: 'registered',
        client_id: randomId(deps.random),
        client_secret_digest,
        registration_access_token_digest: digest,
        disabled_at: null,
        created_at: now,
        updated_at: now,
      }
      await store(deps, request, client, initial_access_token_digest)
      const issued: IssuedCredentials = { issued_secret, registration_access_token: handle }
      const { software_statement } = { software_statement: undefined, ...document }
      // RFC 7591 §3.2.1: a software statement is returned unmodified.
      const stated = software_statement === undefined ? {} : { software_statement }
      return reply.code(201).send({ ...describeClient(deps.config.issuer, client, issued), ...stated })
    })
    allowOnly(app, '/register', 'POST')
    registrationManagement(app, deps)
  },
}

/**
 * Who may register at all.
 *
 * @returns the digest of the initial access token, to be used up; null: none is needed
 * @throws {OAuthError} `invalid_token`; `temporarily_unavailable` over a limit
 */
async function admit(deps: EndpointDeps, request: FastifyRequest): Promise<string | null> {
  const { config, clock, vault } = deps
  if (config.registration.mode === 'initial_access_token') {
    const token = presentedToken(request.headers.authorization, new Map())?.token
    const digest = token === undefined ? undefined : vault.digest('initial_access_token', token)
    if (digest === undefined || !(await deps.store.isInitialAccessTokenLive(digest, clock.now()))) {
      throw initialAccessTokenInvalid()
    }
    return digest
  }
  const { address_prefix } = callerOf(request)
  const limits = registrationLimits(address_prefix, config.registration, (label, value) => vault.digest(label, value))
  const counted = await deps.store.consumeAttempt(limits, clock.now())
  if (counted.outcome === 'allowed') return null
  const { retry_after } = counted
  throw new OAuthError('temporarily_unavailable', 'too many registrations', { status: 429, retry_after })
}

async function store(
  deps: EndpointDeps,
  request: FastifyRequest,
  client: Client,
  initial_access_token_digest: string | null,
): Promise<void> {
  const { client_id, client_name, redirect_uris } = client
  const detail = { client_name, redirect_uris }
  const audit = auditRecord(deps, 'client.registered', { client_id, caller: callerOf(request), detail })
  const now = deps.clock.now()
  const outcome = await deps.store.registerClient(client, initial_access_token_digest, now, [audit])
  if (outcome === 'token_spent') throw initialAccessTokenInvalid()
  if (outcome === 'exists') throw new Error('a random client_id was there already')
}

function initialAccessTokenInvalid(): OAuthError {
  return new OAuthError('invalid_token', 'the initial access token is missing, expired, used up or invalid')
}
