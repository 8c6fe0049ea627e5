import { findClient } from '../clients/find_client.ts'
import type { Caller, Deps } from '../deps.ts'
import { auditRecord, nameAsSent } from '../observe/audit.ts'
import type { AuthenticatedClient, Client, TokenEndpointAuthMethod } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { clientAuthAddressLimit, clientAuthLimit } from '../protocol/throttle.ts'
import type { Seconds } from '../protocol/time.ts'
import type { ClientAuthDeps, ClientAuthMethod, ClientAuthRequest, PresentedClient } from './client_auth.ts'
import { clientSecretBasic } from './client_secret_basic.ts'
import { clientSecretPost } from './client_secret_post.ts'
import { none } from './none.ts'
import { privateKeyJwt } from './private_key_jwt.ts'
import { selfSignedTlsClientAuth } from './self_signed_tls_client_auth.ts'
import { tlsClientAuth } from './tls_client_auth.ts'

/** The registry: how a client may authenticate. Discovery and registration follow from it. */
export const clientAuthMethods: readonly ClientAuthMethod[] = [
  clientSecretBasic,
  clientSecretPost,
  privateKeyJwt,
  tlsClientAuth,
  selfSignedTlsClientAuth,
  none,
]

// FAPI 2.0 Security Profile §5.3.2.1
const FAPI2_METHODS: readonly string[] = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth']

/** Whether clients can show certificates at all. */
export function showsCertificates({ http }: Deps['config']): boolean {
  return http.tls_certificate_file !== null || http.client_certificate_header !== null
}

/** The methods that clients can use under a configuration. */
export function offeredAuthMethods(config: Deps['config']): readonly TokenEndpointAuthMethod[] {
  const certificates = showsCertificates(config)
  return clientAuthMethods
    .map((method) => method.token_endpoint_auth_method)
    .filter((method) => {
      if (config.profile === 'fapi2' && !FAPI2_METHODS.includes(method)) return false
      if (method === 'tls_client_auth') return certificates && config.http.client_ca_file !== null
      return method !== 'self_signed_tls_client_auth' || certificates
    })
}

const MAX_LOCKED = 10_000

export type AuthenticateClient = (request: ClientAuthRequest, caller: Caller) => Promise<AuthenticatedClient>

/**
 * Makes the one function that turns a request into an {@link AuthenticatedClient}.
 *
 * Failures are counted in the database, successes cost nothing. Who has failed too often is remembered here until the
 * lock ends, so that a right guess among many is not let in either.
 *
 * @throws {OAuthError} from the function: `invalid_client`, or `invalid_request` for two methods at once
 */
export function createClientAuthenticator(deps: ClientAuthDeps & Pick<Deps, 'random'>): AuthenticateClient {
  const locked = new Map<string, Seconds>()
  return async (request, caller) => {
    const presented = readPresented(request)
    const { client_id } = presented
    const attempt = { client_id, address_prefix: caller.address_prefix }
    // A client_id may hold spaces and a prefix holds none, so no two pairs are the same text.
    const name = `${caller.address_prefix} ${client_id}`
    const now = deps.clock.now()
    const locked_until = locked.get(name) ?? 0
    if (locked_until > now) throw tooManyFailures(locked_until - now)
    const client = await findClient(deps, client_id)
    const failure = await whyNot(deps, client, presented)
    if (client !== undefined && failure === undefined) return client as AuthenticatedClient
    const digest = (label: string, value: string) => deps.vault.digest(label, value)
    const limit = clientAuthLimit(attempt, deps.config.throttle, digest)
    const address_limit = clientAuthAddressLimit(caller.address_prefix, deps.config.throttle, digest)
    const counted = await deps.store.consumeAttempt([address_limit, limit], now)
    if (counted.outcome === 'refused') {
      // Whichever limit it was: only this client is locked, so that guesses at others keep no honest service out.
      remember(locked, name, now + counted.retry_after, now)
      throw tooManyFailures(counted.retry_after)
    }
    const detail = { reason: failure ?? 'unknown client' }
    const named = client === undefined ? { client_id: nameAsSent(client_id), actor: null } : { client_id }
    await deps.store.appendAudit([auditRecord(deps, 'client_auth.refused', { ...named, caller, detail })])
    // An attacker must not learn whether the client exists: one description for all of these.
    throw new OAuthError('invalid_client', 'client authentication failed', { detail: detail.reason })
  }
}

interface Presented {
  readonly client_id: string
  /** Which of these it is, the client's registration says. */
  readonly by: readonly { readonly method: ClientAuthMethod; readonly presented: PresentedClient }[]
}

function readPresented(request: ClientAuthRequest): Presented {
  const by = clientAuthMethods.flatMap((method) => {
    const presented = method.read(request)
    return presented === undefined ? [] : [{ method, presented }]
  })
  // RFC 6749 §2.3: the client MUST NOT use more than one authentication method in each request.
  if (new Set(by.map(({ method }) => method.carried_in)).size > 1) {
    throw new OAuthError('invalid_request', 'more than one client authentication method')
  }
  const client_id = by[0]?.presented.client_id ?? ''
  // RFC 6749 Appendix A.1: client-id = *VSCHAR.
  if (!/^[\x20-\x7e]+$/.test(client_id)) throw new OAuthError('invalid_client', 'no client authentication included')
  return { client_id, by }
}

async function whyNot(
  deps: ClientAuthDeps,
  client: Client | undefined,
  { by }: Presented,
): Promise<string | undefined> {
  if (client === undefined) return 'unknown client'
  if (client.disabled_at !== null) return 'client disabled'
  if (!offeredAuthMethods(deps.config).includes(client.token_endpoint_auth_method)) return 'its method is not offered'
  const used = by.find(({ method }) => method.registered_as.includes(client.token_endpoint_auth_method))
  return used === undefined ? 'another method is registered' : await used.presented.refusal(deps, client)
}

/** Bounded: when the map is full the oldest lock is forgotten, and the database says so again at the next failure. */
function remember(locked: Map<string, Seconds>, key: string, until: Seconds, now: Seconds): void {
  for (const [other, ends] of locked) {
    if (ends > now && locked.size < MAX_LOCKED) break
    locked.delete(other)
  }
  locked.set(key, until)
}

function tooManyFailures(retry_after: Seconds): OAuthError {
  return new OAuthError('invalid_client', 'too many failed client authentications', { status: 429, retry_after })
}
