/**
 * Rich authorization requests: what a client asks for, said in more than a scope.
 *
 * @see [RFC 9396](https://www.rfc-editor.org/rfc/rfc9396)
 */
import type { AuthorizationDetail } from './authorization_request.ts'
import type { Client } from './client.ts'
import { OAuthError } from './errors.ts'
import type { Resource } from './resource.ts'

const MAX_DETAILS = 32
/** Deeper than any type goes: whatever walks through them has a stack that ends. */
const MAX_LEVELS = 16

/**
 * Reads the parameter, for types that a resource of the request has registered and the client may use.
 *
 * @param value JSON
 * @param resources those that the request is about
 * @throws {OAuthError} `invalid_authorization_details` (§5)
 */
export function readAuthorizationDetails(
  value: string | undefined,
  client: Pick<Client, 'authorization_details_types'>,
  resources: readonly Pick<Resource, 'authorization_details_types'>[],
): readonly AuthorizationDetail[] {
  if (value === undefined) return []
  const details = parse(value)
  if (!Array.isArray(details) || details.length > MAX_DETAILS || !details.every(isDetail)) throw malformed()
  // §5: refused are unknown types, and (§10) those that the client is not registered for.
  const known = resources.flatMap((resource) => resource.authorization_details_types)
  const allowed = known.filter((type) => client.authorization_details_types?.includes(type))
  if (!details.every(({ type }) => allowed.includes(type))) {
    throw new OAuthError('invalid_authorization_details', 'a type is not available to this client at these resources')
  }
  return details
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw malformed(cause)
  }
}

/** §2: `type` is REQUIRED. §2.2: the members that are common to many types have these forms. */
function isDetail(value: unknown): value is AuthorizationDetail {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return false
  if (!isNestedWithin(MAX_LEVELS, value)) return false
  const lists = ['locations', 'actions', 'datatypes', 'privileges']
  return Object.entries(value).every(([name, member]) => {
    if (name === 'identifier') return typeof member === 'string'
    return !lists.includes(name) || (Array.isArray(member) && member.every((item) => typeof item === 'string'))
  })
}

function isNestedWithin(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((member) => isNestedWithin(levels - 1, member))
}

function malformed(cause?: unknown): OAuthError {
  return new OAuthError('invalid_authorization_details', 'authorization_details is malformed', { cause })
}
