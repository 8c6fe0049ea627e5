import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CLIENT_SECRET_LABEL } from '../client_auth/client_secret.ts'
import { clientSecret } from '../clients/credentials.ts'
import { documentOf, isVouchedFor, refusal, selfRegisteredMetadata } from '../clients/self_registration.ts'
import { withSoftwareStatement } from '../clients/software_statement.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Client, nextVersion, partsOf } from '../protocol/client.ts'
import type { RegistrationProblem } from '../protocol/client_registration.ts'
import { OAuthError } from '../protocol/errors.ts'
import { presentedToken } from '../protocol/presented_token.ts'
import { describeClient } from './client_information.ts'
import type { EndpointDeps } from './endpoint.ts'

const PATH = '/register/:client_id'
const CORS = { config: { any_origin: true, cors_methods: 'GET, PUT, DELETE' } }

/** What only the server says; RFC 7592 §2.2: these MUST NOT be in an update. */
const NOT_IN_AN_UPDATE = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
]

/**
 * A client reads, replaces and deletes its own registration.
 *
 * @see [RFC 7592 §2](https://www.rfc-editor.org/rfc/rfc7592#section-2)
 */
export function registrationManagement(app: FastifyInstance, deps: EndpointDeps): void {
  const { issuer } = deps.config

  app.get<ForClient>(PATH, CORS, async (request) => {
    const { client, registration_access_token } = await authenticate(deps, request)
    return describeClient(issuer, client, { issued_secret: null, registration_access_token })
  })

  app.put<ForClient>(PATH, CORS, async (request) => {
    const { client, registration_access_token } = await authenticate(deps, request)
    const document = documentOf(request.body)
    const problems = updateProblems(deps, client, document)
    if (problems.length > 0) throw refusal(problems)
    const said = await withSoftwareStatement(deps, document)
    const metadata = await selfRegisteredMetadata(deps, said, client, isVouchedFor(deps.config))
    const { client_secret_digest, issued_secret } = clientSecret(deps, metadata, client.client_secret_digest)
    const changed = {
      ...partsOf(client).identity,
      ...metadata,
      client_secret_digest,
      updated_at: nextVersion(client, deps.clock.now()),
    }
    const { client_id } = client
    const audit = auditRecord(deps, 'client.updated', { client_id, caller: callerOf(request), detail: { ...metadata } })
    const outcome = await deps.store.updateClient(changed, [audit], client)
    if (outcome === 'not_found') throw tokenInvalid()
    if (outcome === 'stale') {
      throw new OAuthError('temporarily_unavailable', 'the registration was changed at the same time', { status: 409 })
    }
    return describeClient(issuer, changed, { issued_secret, registration_access_token })
  })

  app.delete<ForClient>(PATH, CORS, async (request, reply) => {
    const { client_id } = (await authenticate(deps, request)).client
    const audit = auditRecord(deps, 'client.deleted', { client_id, caller: callerOf(request) })
    if ((await deps.store.deleteClient(client_id, deps.clock.now(), [audit])) === 'not_found') throw tokenInvalid()
    return reply.code(204).send()
  })

  allowOnly(app, PATH, 'GET', 'PUT', 'DELETE')
}

interface ForClient {
  readonly Params: { readonly client_id: string }
}

/** RFC 7592 §2.1: for a client that is gone, or a token that is not its own, 401 without more. */
async function authenticate(
  deps: EndpointDeps,
  request: FastifyRequest<ForClient>,
): Promise<{ readonly client: Client; readonly registration_access_token: string }> {
  const token = presentedToken(request.headers.authorization, new Map())?.token
  if (token === undefined) throw tokenInvalid()
  const client = await deps.store.findClient(request.params.client_id)
  const digest = deps.vault.digest('registration_access_token', token)
  // Digests under a key that nobody else has: how long their comparison takes tells nothing.
  const own = client?.registration_access_token_digest === digest
  if (client === undefined || client.disabled_at !== null || !own) throw tokenInvalid()
  return { client, registration_access_token: token }
}

function tokenInvalid(): OAuthError {
  return new OAuthError('invalid_token', 'the registration access token is missing or invalid')
}

function updateProblems(deps: EndpointDeps, client: Client, document: object): RegistrationProblem[] {
  const problems = NOT_IN_AN_UPDATE.filter((name) => name in document).map((field) => ({
    field,
    message: 'does not belong into an update',
  }))
  const { client_id, client_secret } = { client_id: undefined, client_secret: undefined, ...document }
  // RFC 7592 §2.2: the client MUST include its client_id; the secret, if it is there, MUST be the one it has.
  if (client_id !== client.client_id) problems.push({ field: 'client_id', message: 'is not the one of this client' })
  if (client_secret !== undefined) {
    const digest = typeof client_secret === 'string' ? deps.vault.digest(CLIENT_SECRET_LABEL, client_secret) : ''
    if (digest !== client.client_secret_digest) {
      problems.push({ field: 'client_secret', message: 'is not the one of this client' })
    }
  }
  return problems
}
