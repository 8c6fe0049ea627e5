import t from 'tap'
import { type ClientMetadata, TOKEN_ENDPOINT_AUTH_METHODS } from '../../server/protocol/client.ts'
import {
  type ClientRegistration,
  metadataProblems,
  type Offered,
  registeredMetadata,
} from '../../server/protocol/client_registration.ts'

const offered: Offered = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  token_endpoint_auth_methods: TOKEN_ENDPOINT_AUTH_METHODS,
  resources: new Set(['https://api.example.com']),
  profile: 'oauth21',
  outbound_allow: ['keys.internal', 'localhost:9000'],
}

function problemsOf(asked: ClientRegistration, existing?: ClientMetadata, changes: Partial<Offered> = {}): string[] {
  const metadata = registeredMetadata(existing, { grant_types: ['refresh_token'], ...asked })
  return metadataProblems(metadata, { ...offered, ...changes }).map(({ field }) => field)
}

t.test('RFC 7591 §2, OpenID Connect Registration §2: what is left out has its default', async (t) => {
  const redirect_uris = ['https://app.example.com/callback']
  t.strictSame(registeredMetadata(undefined, { redirect_uris }), {
    application_type: 'web',
    redirect_uris,
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'client_secret_basic',
    subject_type: 'public',
    require_pkce: true,
    scope: '',
    resources: [],
    first_party: false,
    refresh_token_profile: 'standard',
  })
})

t.test('null takes a member away, and a default one back to its default', async (t) => {
  const existing = registeredMetadata(undefined, { client_name: 'App', subject_type: 'pairwise', default_max_age: 5 })
  const changed = registeredMetadata(existing, { client_name: null, subject_type: null })
  t.notHas(changed, 'client_name')
  t.match(changed, { subject_type: 'public', default_max_age: 5 })
})

t.test('RFC 7591 §2.1: response types and grant types go together', async (t) => {
  const code = { grant_types: ['authorization_code'], redirect_uris: ['https://a.example/cb'] }
  t.strictSame(problemsOf(code), [])
  t.strictSame(problemsOf({ ...code, response_types: ['code'] }), [])
  t.strictSame(problemsOf({ ...code, response_types: [] }), ['response_types'])
  t.strictSame(problemsOf({ response_types: ['code'] }), ['response_types'])
  t.strictSame(problemsOf({ ...code, response_types: ['code', 'code id_token'] }), ['response_types'])
  t.strictSame(problemsOf({ ...code, redirect_uris: [] }), ['redirect_uris'])
  const existing = registeredMetadata(undefined, code)
  t.strictSame(
    registeredMetadata(existing, { grant_types: ['refresh_token'] }).response_types,
    [],
    'one says the other',
  )
})

t.test('lists are sets, and resources are compared in one spelling', async (t) => {
  const asked = { scope: ' b a b ', resources: ['https://api.example.com/', 'https://api.example.com'] }
  t.match(registeredMetadata(undefined, asked), { scope: 'b a', resources: ['https://api.example.com'] })
})

t.test('OAuth 2.1 §4.2: the client credentials grant is for confidential clients only', async (t) => {
  const grant_types = ['client_credentials']
  t.same(problemsOf({ grant_types, token_endpoint_auth_method: 'none' }), ['grant_types'])
  t.same(problemsOf({ grant_types, token_endpoint_auth_method: 'client_secret_post' }), [])
  t.same(problemsOf({ token_endpoint_auth_method: 'none' }), [])
})

t.test('a reuse window is as long as the profile allows', async (t) => {
  const windows: [ClientRegistration, string[]][] = [
    [{ reuse_window_seconds: 60 }, []],
    [{ reuse_window_seconds: 61 }, ['reuse_window_seconds']],
    [{ reuse_window_seconds: 3600, refresh_token_profile: 'resilient' }, []],
    [{ reuse_window_seconds: 3601, refresh_token_profile: 'resilient' }, ['reuse_window_seconds']],
    [{ reuse_window_seconds: 1, refresh_token_profile: 'strict' }, ['reuse_window_seconds']],
  ]
  for (const [asked, problems] of windows) t.same(problemsOf(asked), problems, JSON.stringify(asked))
})

t.test('a token cannot be idle for longer than it lives', async (t) => {
  t.same(problemsOf({ refresh_token_idle_seconds: 61, refresh_token_absolute_seconds: 60 }), [
    'refresh_token_idle_seconds',
  ])
  t.same(problemsOf({ refresh_token_idle_seconds: 60, refresh_token_absolute_seconds: 60 }), [])
  const existing = registeredMetadata(undefined, { refresh_token_absolute_seconds: 60 })
  t.same(problemsOf({ refresh_token_idle_seconds: 61 }, existing), ['refresh_token_idle_seconds'])
  t.same(problemsOf({ refresh_token_idle_seconds: 61, refresh_token_absolute_seconds: null }, existing), [])
})

t.test('RFC 9700 §2.2.2: a refresh token that is not rotated is for sender-constrained clients', async (t) => {
  const fixed = { refresh_token_profile: 'fixed' } as const
  const dpop = { dpop_bound_access_tokens: true }
  t.strictSame(problemsOf(fixed), ['refresh_token_profile'])
  t.strictSame(problemsOf({ ...fixed, ...dpop }), [])
  t.strictSame(problemsOf({ ...fixed, tls_client_certificate_bound_access_tokens: true }), [])
  t.strictSame(problemsOf({ ...fixed, ...dpop, token_endpoint_auth_method: 'none' }), ['refresh_token_profile'])
})

t.test('OAuth 2.1 §7.5.1, RFC 8693 §1.1: what only a client that authenticates may have', async (t) => {
  const own = { token_endpoint_auth_method: 'none' } as const
  t.strictSame(problemsOf({ ...own, require_pkce: false }), ['require_pkce'])
  t.strictSame(problemsOf({ ...own, may_impersonate: true }), ['may_impersonate'])
  t.strictSame(problemsOf({ require_pkce: false, may_impersonate: true }), [])
})

t.test('RFC 8705 §2.1.2: tls_client_auth has exactly one subject', async (t) => {
  const tls = { token_endpoint_auth_method: 'tls_client_auth' } as const
  const dn = { tls_client_auth_subject_dn: 'CN=service' }
  t.strictSame(problemsOf(tls), ['token_endpoint_auth_method'])
  t.strictSame(problemsOf({ ...tls, ...dn }), [])
  t.strictSame(problemsOf({ ...tls, ...dn, tls_client_auth_san_dns: 'a.example' }), ['token_endpoint_auth_method'])
})

t.test('a method that this server does not offer is refused', async (t) => {
  const changes = { token_endpoint_auth_methods: ['none'] } as const
  t.strictSame(problemsOf({}, undefined, changes), ['token_endpoint_auth_method'])
  t.strictSame(problemsOf({ token_endpoint_auth_method: 'none' }, undefined, changes), [])
})

t.test('FAPI 2.0 §5.3.2: the profile takes strong, sender-constrained clients only', async (t) => {
  const fapi2 = (asked: ClientRegistration) => problemsOf(asked, undefined, { profile: 'fapi2' })
  const strong: ClientRegistration = {
    token_endpoint_auth_method: 'private_key_jwt',
    jwks_uri: 'https://a.example/jwks',
    dpop_bound_access_tokens: true,
  }
  t.strictSame(fapi2(strong), [])
  t.strictSame(fapi2({ ...strong, id_token_signed_response_alg: 'PS256' }), [])
  t.strictSame(fapi2({ ...strong, token_endpoint_auth_method: 'client_secret_basic' }), ['token_endpoint_auth_method'])
  t.strictSame(fapi2({ ...strong, dpop_bound_access_tokens: false }), ['dpop_bound_access_tokens'])
  t.strictSame(fapi2({ ...strong, require_pkce: false }), ['require_pkce'])
  t.strictSame(fapi2({ ...strong, request_object_signing_alg: 'RS256' }), ['request_object_signing_alg'])
})

t.test('scopes are scope-tokens, and the reserved ones are those that exist', async (t) => {
  t.same(problemsOf({ scope: 'read * gatehouse:read gatehouse:write' }), [])
  t.same(problemsOf({ scope: 'a\\b' }), ['scope'])
  t.same(problemsOf({ scope: 'gatehouse:' }), ['scope'])
  const pairwise = { subject_type: 'pairwise', redirect_uris: ['https://a.example/cb'] } as const
  t.same(problemsOf({ ...pairwise, scope: 'read' }), [])
  t.same(problemsOf({ ...pairwise, scope: 'gatehouse:read' }), ['scope'])
})

t.test('resources are known ones, or all of them', async (t) => {
  t.same(problemsOf({ resources: ['*', 'https://api.example.com'] }), [])
  t.same(problemsOf({ resources: ['https://other.example'] }), ['resources'])
})
