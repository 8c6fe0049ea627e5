/**
 * Each member of a client's metadata by itself: what JSON it may be. How they go together is in `client_registration.ts`.
 *
 * @see [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)
 * @see [OpenID Connect Registration 1.0 §2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)
 */
import { type TNull, type TOptional, type TProperties, type TSchema, type TUnion, Type } from 'typebox'
import {
  CONTENT_ENCRYPTIONS,
  ENCRYPTION_ALGORITHMS,
  REFRESH_TOKEN_PROFILES,
  TOKEN_ENDPOINT_AUTH_METHODS,
} from './client.ts'
import { LOCALES, type Locale } from './locale.ts'
import { SIGNING_ALGORITHMS } from './resource.ts'

const MAX_SECONDS = 3650 * 86_400

// RFC 3986 §2: a URI is written in ASCII, without spaces.
const uri = Type.String({ maxLength: 2048, pattern: '^[\\x21-\\x7e]+$' })
const text = (maxLength: number) => Type.String({ maxLength, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })
// What people are shown holds nothing that turns the text around it.
const name = Type.String({
  maxLength: 200,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+$',
})
const list = <S extends TSchema>(items: S, maxItems: number) => Type.Array(items, { maxItems })
const seconds = (minimum: number, maximum = MAX_SECONDS) => Type.Integer({ minimum, maximum })
const signing = Type.Enum([...SIGNING_ALGORITHMS])
const encryption = Type.Enum([...ENCRYPTION_ALGORITHMS])
const content = Type.Enum([...CONTENT_ENCRYPTIONS])

const Jwk = Type.Object(
  {
    kty: text(16),
    kid: Type.Optional(text(255)),
    alg: Type.Optional(text(64)),
    use: Type.Optional(text(64)),
  },
  { additionalProperties: true },
)

/** RFC 7591 §2.2: the same in a language, for those that our pages are written in. */
function inEachLanguage<M extends string, S extends TSchema>(member: M, schema: S) {
  const members = Object.fromEntries(LOCALES.map((locale) => [`${member}#${locale}`, schema]))
  return members as { [Name in `${M}#${Locale}`]: S }
}

/** What the specifications define. */
export const registeredMembers = {
  ...inEachLanguage('client_name', name),
  ...inEachLanguage('client_uri', uri),
  ...inEachLanguage('policy_uri', uri),
  ...inEachLanguage('tos_uri', uri),
  client_name: name,
  client_uri: uri,
  logo_uri: uri,
  policy_uri: uri,
  tos_uri: uri,
  contacts: list(text(320), 20),
  software_id: text(255),
  software_version: text(255),
  application_type: Type.Enum(['web', 'native']),
  redirect_uris: list(uri, 100),
  response_types: list(text(64), 8),
  grant_types: list(text(128), 16),
  token_endpoint_auth_method: Type.Enum([...TOKEN_ENDPOINT_AUTH_METHODS]),
  token_endpoint_auth_signing_alg: signing,
  scope: Type.String({ maxLength: 4096 }),
  jwks: Type.Object({ keys: Type.Array(Jwk, { maxItems: 20 }) }),
  jwks_uri: uri,
  tls_client_auth_subject_dn: text(1024),
  tls_client_auth_san_dns: text(255),
  tls_client_auth_san_uri: uri,
  tls_client_auth_san_ip: text(45),
  tls_client_auth_san_email: text(320),
  tls_client_certificate_bound_access_tokens: Type.Boolean(),
  dpop_bound_access_tokens: Type.Boolean(),
  require_pushed_authorization_requests: Type.Boolean(),
  require_signed_request_object: Type.Boolean(),
  request_object_signing_alg: signing,
  authorization_details_types: list(text(255), 100),
  id_token_signed_response_alg: signing,
  id_token_encrypted_response_alg: encryption,
  id_token_encrypted_response_enc: content,
  userinfo_signed_response_alg: signing,
  userinfo_encrypted_response_alg: encryption,
  userinfo_encrypted_response_enc: content,
  introspection_signed_response_alg: signing,
  introspection_encrypted_response_alg: encryption,
  introspection_encrypted_response_enc: content,
  authorization_signed_response_alg: signing,
  authorization_encrypted_response_alg: encryption,
  authorization_encrypted_response_enc: content,
  subject_type: Type.Enum(['public', 'pairwise']),
  sector_identifier_uri: uri,
  default_max_age: seconds(0),
  require_auth_time: Type.Boolean(),
  default_acr_values: list(text(255), 20),
  initiate_login_uri: uri,
  post_logout_redirect_uris: list(uri, 100),
  backchannel_logout_uri: uri,
  backchannel_logout_session_required: Type.Boolean(),
  frontchannel_logout_uri: uri,
  frontchannel_logout_session_required: Type.Boolean(),
}

/** What this server adds and a client may choose for itself. */
export const ownMembers = {
  resources: list(text(2048), 100),
  require_pkce: Type.Boolean(),
}

/** What only an administrator decides. */
export const operatorMembers = {
  first_party: Type.Boolean(),
  may_impersonate: Type.Boolean(),
  refresh_token_profile: Type.Enum([...REFRESH_TOKEN_PROFILES]),
  refresh_token_idle_seconds: seconds(60),
  refresh_token_absolute_seconds: seconds(60),
  reuse_window_seconds: seconds(0, 3600),
}

/** Members of the specifications that mean nothing here: taken, forgotten, and named in the admin API's answer. */
export const IGNORED_MEMBERS = [
  'request_uris',
  'request_object_encryption_alg',
  'request_object_encryption_enc',
] as const

/** Members that may be left out. */
export function optional<P extends TProperties>(members: P) {
  const described = Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, Type.Optional(schema)]))
  return described as { [Name in keyof P]: TOptional<P[Name]> }
}

/** Members that may be left out, or be null: then the one that was there goes. */
export function changeable<P extends TProperties>(members: P) {
  const change = (schema: TSchema) => Type.Optional(Type.Union([schema, Type.Null()]))
  const changes = Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, change(schema)]))
  return changes as { [Name in keyof P]: TOptional<TUnion<[P[Name], TNull]>> }
}
