import { type Static, Type } from 'typebox'
import type { Deps } from '../deps.ts'
import type { Client, ClientMetadata } from '../protocol/client.ts'
import { optional } from '../protocol/client_metadata.ts'
import { type RegistrationProblem, registeredMetadata } from '../protocol/client_registration.ts'
import {
  selfRegisteredMembers,
  selfRegisteredMembersOf,
  selfRegistration,
} from '../protocol/client_self_registration.ts'
import { DEVICE_CODE_GRANT } from '../protocol/device_code.ts'
import { OAuthError } from '../protocol/errors.ts'
import { requiresPkce } from '../protocol/profile.ts'
import { offeredGrantTypes, type RegistrationDeps, registrationProblems } from './registration.ts'

const Document = Type.Object(optional(selfRegisteredMembers))

const MAX_DESCRIPTION = 500

/** A person signs in and is asked. With any other grant type a stranger would get tokens for having registered. */
const GRANT_TYPES_OF_PEOPLE: readonly string[] = ['authorization_code', 'refresh_token', DEVICE_CODE_GRANT]

/**
 * The metadata of a client that speaks for itself.
 *
 * @param document what it says: a JSON object, whose members are judged here
 * @param existing what is to change
 * @param vouched whether somebody has vouched for the client: whom nobody knows gets tokens from people only
 * @throws {OAuthError} `invalid_redirect_uri`, `invalid_client_metadata`
 */
export async function selfRegisteredMetadata(
  deps: RegistrationDeps & Pick<Deps, 'config'>,
  document: object,
  existing: Client | undefined,
  vouched: boolean,
): Promise<ClientMetadata> {
  const { config } = deps
  const { scope, resources } = config.registration
  const require_pkce = config.registration.require_pkce || requiresPkce(config.profile)
  const limits = { scope, resources, require_pkce, grant_types: vouched ? offeredGrantTypes() : GRANT_TYPES_OF_PEOPLE }
  const asked = selfRegistration(await readDocument(document), limits)
  if ('problems' in asked) throw refusal(asked.problems)
  const metadata = registeredMetadata(undefined, asked.value)
  const problems = await registrationProblems(deps, metadata, existing, resources)
  if (problems.length > 0) throw refusal(problems)
  return metadata
}

/** Registration is open to whoever holds an initial access token, and to nobody else. */
export function isVouchedFor({ registration }: Pick<Deps, 'config'>['config']): boolean {
  return registration.mode === 'initial_access_token'
}

/** What a request or an answer holds, as a JSON object. @throws {OAuthError} `invalid_client_metadata` */
export function documentOf(json: unknown): object {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  throw refusal([{ field: 'the document', message: 'is not a JSON object' }])
}

async function readDocument(document: object): Promise<Static<typeof Document>> {
  // RFC 7592 §2.2: null is the same as leaving a member out.
  const members = Object.entries(selfRegisteredMembersOf(document)).filter(([, value]) => value !== null)
  const metadata: unknown = Object.fromEntries(members)
  // When it is first needed: it takes its time to load.
  const { Check, Errors } = await import('typebox/value')
  if (Check(Document, metadata)) return metadata
  const [error] = Errors(Document, metadata)
  const field = error?.instancePath.split('/')[1] ?? 'the document'
  throw refusal([{ field, message: error?.keyword === 'type' ? error.message : 'has a value that it cannot have' }])
}

/**
 * All that is wrong, in the one description that an error has.
 *
 * @see [RFC 7591 §3.2.2](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2)
 */
export function refusal(problems: readonly RegistrationProblem[]): OAuthError {
  const of_redirect_uris = problems.some(({ field }) => field === 'redirect_uris')
  const said = problems.map(({ field, message }) => `${field} ${message}`).join('; ')
  // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E. What the caller sent may be among it.
  const description = said.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?').slice(0, MAX_DESCRIPTION)
  return new OAuthError(of_redirect_uris ? 'invalid_redirect_uri' : 'invalid_client_metadata', description)
}
