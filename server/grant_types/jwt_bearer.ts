import { Type } from 'typebox'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import { isConfidential } from '../protocol/client.ts'
import { readUnverifiedJwt, rememberedUntil } from '../protocol/client_jwt.ts'
import { OAuthError } from '../protocol/errors.ts'
import { assertMayIssue } from '../protocol/grant.ts'
import { foldIdentifier, isIdentifier } from '../protocol/identifier.ts'
import { keysFor } from '../protocol/jwk_set.ts'
import {
  type Assertion,
  askedWithin,
  invalidAssertion,
  JWT_BEARER_GRANT,
  readAssertion,
} from '../protocol/jwt_bearer.ts'
import { randomId } from '../protocol/random_id.ts'
import { ClientJwtError, verifySignature } from '../tokens/client_jwt.ts'
import { issueAccessToken } from '../tokens/issue.ts'
import { newGrant } from '../tokens/new_grant.ts'
import { resolveTarget } from '../tokens/resources.ts'
import type { ClientRequest, GrantDeps, GrantType } from './grant_type.ts'
import { accessTokenResponse } from './token_response.ts'

const parameters = Type.Object({
  assertion: Type.String(),
  scope: Type.Optional(Type.String()),
  resource: Type.Array(Type.String()),
})

const RETRY_AFTER_SECONDS = 10

/**
 * A token for a person whom an issuer that the operator trusts vouches for. There is no refresh token, so that the issuer
 * stays in charge (RFC 7521 §4.1), and no ID token: nobody has signed in here.
 *
 * @see [RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)
 */
export const jwtBearer: GrantType<typeof parameters> = {
  grant_type: JWT_BEARER_GRANT,
  spec: 'RFC 7523 §2.1',
  offered: ({ jwt_bearer }) => jwt_bearer.issuers.length > 0,
  parameters,
  async exchange(request, deps) {
    const { client, parameters: asked, confirmation, caller, now } = request
    if (!isConfidential(client)) throw new OAuthError('unauthorized_client', 'a public client has no credentials')
    const assertion = await verify(deps, request)
    const account = await findAccount(deps, assertion.sub)
    if (account === undefined) throw invalidAssertion('the sub names nobody here')
    const target = await resolveTarget(deps, { client, account }, askedWithin(assertion, asked, client))
    const facts = {
      grant_id: randomId(deps.random),
      account_id: account.account_id,
      session_id: randomId(deps.random),
      scope: target.scope,
      resources: target.resources,
      auth_time: assertion.auth_time,
      amr: [],
      acr: null,
      claims: null,
      authorization_details: [],
    }
    const { access_token_seconds } = target
    const grant = await newGrant(deps, client, facts, { now, caller, access_token_seconds, refreshes: false })
    const entitlement = assertMayIssue({ client, account, grant })
    await useUp(deps, assertion)

    const { client_id } = client
    const { account_id, grant_id, session_id, scope, resources } = grant
    const detail = { iss: assertion.iss, scope, resources }
    const fields = { actor: client_id, account_id, client_id, grant_id, session_id, caller, detail }
    const outcome = await deps.store.createGrant(grant, [], [auditRecord(deps, 'token.issued', fields)])
    if (outcome === 'account_disabled') throw invalidAssertion(outcome)
    const issued = await issueAccessToken(deps, entitlement, target, { now, confirmation })
    return accessTokenResponse(issued, target, confirmation)
  },
}

async function verify(
  { config, remoteKeys }: GrantDeps,
  request: ClientRequest<{ readonly assertion: string }>,
): Promise<Assertion> {
  const { client, confirmation, now, parameters } = request
  const { issuer, profile, jwt_bearer } = config
  const rules = { issuer, profile, trusted_issuers: jwt_bearer.issuers, client, confirmation }
  const assertion = readAssertion(readUnverifiedJwt(parameters.assertion), rules, now)
  const { iss, header } = assertion
  const fitting = await remoteKeys
    .findOfIssuer(iss, (keys) => {
      const found = keysFor(keys, { ...header, use: 'sig' })
      return found.length === 0 ? undefined : found
    })
    .catch((cause: unknown) => {
      const retry_after = RETRY_AFTER_SECONDS
      const description = 'the keys of the issuer of the assertion cannot be had'
      throw new OAuthError('temporarily_unavailable', description, { cause, retry_after })
    })
  const [key, another] = fitting ?? []
  if (key === undefined || another !== undefined) throw invalidAssertion('no key of the issuer fits, or several do')
  await verifySignature(parameters.assertion, key).catch((cause: unknown) => {
    throw cause instanceof ClientJwtError ? invalidAssertion(cause.message) : cause
  })
  return assertion
}

/** The account that a `sub` names, in the way that the configuration says. */
async function findAccount({ config, store }: GrantDeps, sub: string): Promise<Account | undefined> {
  if (config.jwt_bearer.subject === 'account_id') return store.findAccount(sub)
  const identifier = foldIdentifier(sub)
  if (!isIdentifier(identifier)) return undefined
  const account = await store.findAccountByIdentifier(identifier)
  if (account === undefined) return undefined
  // User names and e-mail addresses are in one name space; which of the two is meant is not the issuer's to say.
  const named = config.jwt_bearer.subject === 'username' ? account.username : verifiedEmail(account)
  return named !== null && foldIdentifier(named) === identifier ? account : undefined
}

function verifiedEmail({ email, email_verified_at }: Account): string | null {
  return email_verified_at === null ? null : email
}

/** An assertion is good once (RFC 7523 §3 point 7), and only an attempt that nothing else is wrong with uses it up. */
async function useUp({ store, vault, clock }: GrantDeps, { iss, jti, exp }: Assertion): Promise<void> {
  const id = vault.digest('assertion_jti', `${iss} ${jti}`)
  const now = clock.now()
  if ((await store.claimOnce(id, rememberedUntil(exp, now), now)) === 'used') throw invalidAssertion('used before')
}
