import type { JWK } from 'jose'
import type { Deps } from '../deps.ts'
import type { Client, ClientJwk, EncryptionAlgorithm } from '../protocol/client.ts'
import { keysFor, type WantedKey } from '../protocol/jwk_set.ts'

/** A client's keys give no key for what is wanted. The message is for the log. */
export class ClientKeyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ClientKeyError'
  }
}

export type ClientKeyDeps = Pick<Deps, 'remoteKeys'>

/**
 * The registered key that a client's signature is to be verified with.
 *
 * @throws {ClientKeyError} none fits, several do, or its `jwks_uri` does not answer
 */
export async function clientVerificationKey(
  deps: ClientKeyDeps,
  client: Client,
  header: { readonly alg: string; readonly kid?: string | undefined },
): Promise<JWK> {
  const keys = await findKeys(deps, client, { ...header, use: 'sig' })
  const [key, another] = keys
  // OpenID Connect Core §10.1: with several keys, a kid MUST be provided.
  if (another !== undefined) throw new ClientKeyError('several keys fit, and the header names none by its kid')
  if (key === undefined) throw new ClientKeyError('none of the registered keys fits the alg and the kid')
  return key
}

/**
 * The registered key that something is to be encrypted to: the first that fits.
 *
 * @throws {ClientKeyError} none fits, or its `jwks_uri` does not answer
 */
export async function clientEncryptionKey(
  deps: ClientKeyDeps,
  client: Client,
  alg: EncryptionAlgorithm,
): Promise<{ readonly key: JWK; readonly kid?: string }> {
  const [key] = await findKeys(deps, client, { alg, use: 'enc' })
  if (key === undefined) throw new ClientKeyError(`none of the registered keys is for ${alg}`)
  return { key, ...(key.kid === undefined ? {} : { kid: key.kid }) }
}

/** All keys of a client. @throws {ClientKeyError} its `jwks_uri` does not answer */
export async function hasClientKey(
  deps: ClientKeyDeps,
  client: Client,
  matches: (key: ClientJwk) => boolean,
): Promise<boolean> {
  return (await find(deps, client, (keys) => keys.some(matches) || undefined)) ?? false
}

async function findKeys(deps: ClientKeyDeps, client: Client, wanted: WantedKey): Promise<readonly ClientJwk[]> {
  const fitting = (keys: readonly ClientJwk[]) => {
    const found = keysFor(keys, wanted)
    return found.length === 0 ? undefined : found
  }
  return (await find(deps, client, fitting)) ?? []
}

async function find<T>(
  deps: ClientKeyDeps,
  { jwks, jwks_uri }: Client,
  choose: (keys: readonly ClientJwk[]) => T | undefined,
): Promise<T | undefined> {
  if (jwks !== undefined) return choose(jwks.keys)
  if (jwks_uri === undefined) throw new ClientKeyError('the client has no keys registered')
  try {
    return await deps.remoteKeys.find(jwks_uri, choose)
  } catch (cause) {
    throw new ClientKeyError(`the jwks_uri: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
