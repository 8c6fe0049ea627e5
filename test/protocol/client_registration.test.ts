import t from 'tap'
import type { ClientMetadata } from '../../server/protocol/client.ts'
import {
  type ClientRegistration,
  metadataProblems,
  registeredMetadata,
} from '../../server/protocol/client_registration.ts'

const offered = {
  grant_types: ['refresh_token', 'client_credentials'],
  resources: new Set(['https://api.example.com']),
}

function problemsOf(asked: ClientRegistration, existing?: ClientMetadata): string[] {
  const metadata = registeredMetadata(existing, { grant_types: ['refresh_token'], ...asked })
  return metadataProblems(metadata, offered).map(({ field }) => field)
}

t.test('RFC 7591 §2: what is left out has its default', async (t) => {
  t.same(registeredMetadata(undefined, { grant_types: ['refresh_token'] }), {
    grant_types: ['refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: '',
    resources: [],
    first_party: false,
    refresh_token_profile: 'standard',
  })
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
  t.same(problemsOf({ refresh_token_profile: 'fixed' }), ['refresh_token_profile'])
})

t.test('scopes are scope-tokens, and the reserved ones are those that exist', async (t) => {
  t.same(problemsOf({ scope: 'read * gatehouse:read gatehouse:write' }), [])
  t.same(problemsOf({ scope: 'a\\b' }), ['scope'])
  t.same(problemsOf({ scope: 'gatehouse:' }), ['scope'])
})

t.test('resources are known ones, or all of them', async (t) => {
  t.same(problemsOf({ resources: ['*', 'https://api.example.com'] }), [])
  t.same(problemsOf({ resources: ['https://other.example'] }), ['resources'])
})
