import { compactVerify, type JWK, type JWTPayload } from 'jose'
import type { Deps } from '../deps.ts'
import type { Client } from '../protocol/client.ts'
import {
  type ClaimRules,
  claimsProblem,
  type HeaderRules,
  type JwtHeader,
  readHeader,
  readUnverifiedJwt,
} from '../protocol/client_jwt.ts'
import { ClientKeyError, clientVerificationKey } from './client_keys.ts'

/** A JWT that a client has sent is not what it should be. The message is for the log. */
export class ClientJwtError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClientJwtError'
  }
}

export interface ClientJwtRules extends HeaderRules, ClaimRules {}

/**
 * Verifies a JWT that a client has signed with one of its registered keys. Keys inside the JWT, and addresses of keys,
 * count for nothing (RFC 8725 §3.10).
 *
 * @returns its claims, which keep to `rules`
 * @throws {ClientJwtError}
 */
export async function verifyClientJwt(
  deps: Pick<Deps, 'remoteKeys' | 'clock'>,
  client: Client,
  jwt: string,
  rules: ClientJwtRules,
): Promise<JWTPayload> {
  const read = readUnverifiedJwt(jwt)
  if (read === undefined) throw new ClientJwtError('not a JWT, or too long')
  const { header, claims } = read
  // What the text alone decides comes first: it costs neither a fetch nor a signature.
  const checked = readHeader(header, rules)
  if (typeof checked === 'string') throw new ClientJwtError(checked)
  const problem = claimsProblem(claims, rules, deps.clock.now())
  if (problem !== undefined) throw new ClientJwtError(problem)
  await verifySignature(jwt, await keyFor(deps, client, checked))
  return claims
}

async function keyFor(deps: Pick<Deps, 'remoteKeys'>, client: Client, header: JwtHeader): Promise<JWK> {
  try {
    return await clientVerificationKey(deps, client, header)
  } catch (cause) {
    if (cause instanceof ClientKeyError) throw new ClientJwtError(cause.message, { cause })
    throw cause
  }
}

/** @throws {ClientJwtError} also for a key that is too weak or no key at all: whoever registered it sees why */
export async function verifySignature(jwt: string, key: JWK): Promise<void> {
  try {
    await compactVerify(jwt, key)
  } catch (cause) {
    throw new ClientJwtError(`the signature: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
