import t from 'tap'
import { claimsAskedFor, mergeConsent, needsConsent, redirectHost } from '../../server/protocol/consent.ts'
import { makeConsent, makeRequest } from '../helpers/interaction.ts'

const CLIENT = { client_id: 'web', first_party: false, origin: 'admin' } as const
const needs = (request: Parameters<typeof makeRequest>[0], consent: Parameters<typeof makeConsent>[0] = {}) =>
  needsConsent(CLIENT, makeRequest(request), makeConsent(consent))

t.test('what was allowed before is not asked again; less is not either', async (t) => {
  t.equal(needs({}), false)
  t.equal(needs({ scope: 'openid' }), false)
  t.equal(needs({ resources: [] }), false)
  t.equal(needs({ redirect_uri: 'https://app.example/another' }), false)
  t.equal(needs({}, { claims: ['email'] }), false)
})

t.test('asked again when it grows: scope, resources, claims, redirect hosts', async (t) => {
  t.equal(needs({ scope: 'openid profile email' }), true)
  t.equal(needs({ resources: ['https://api.example', 'https://other.example'] }), true)
  t.equal(needs({ claims: { userinfo: { email: null } } }), true)
  t.equal(needs({ claims: { id_token: { email: { essential: true } } } }), true)
  t.equal(needs({ redirect_uri: 'https://evil.example/callback' }), true)
  t.equal(needs({ redirect_uri: 'https://app.example:8443/callback' }), true)
})

t.test(
  'RFC 6749 §10.2: who registered itself is asked about each time, but for prompt=none from a known https host',
  async (t) => {
    for (const origin of ['registered', 'metadata_document'] as const) {
      const asks = (request: Parameters<typeof makeRequest>[0], allowed: Parameters<typeof makeConsent>[0] = {}) =>
        needsConsent({ ...CLIENT, origin }, makeRequest(request), makeConsent(allowed))
      t.equal(asks({}), true, 'with a page, always')
      t.equal(asks({ prompt: ['none'] }), false, 'silently, what was allowed before')
      t.equal(asks({ prompt: ['none'], scope: 'openid profile email' }), true, 'not more than that')
      t.equal(asks({ prompt: ['none'], redirect_uri: 'https://evil.example/callback' }), true, 'not to another host')
      for (const redirect_uri of ['http://127.0.0.1:4711/callback', 'com.example.app:/callback']) {
        const hosts = { redirect_hosts: [redirectHost(redirect_uri)] }
        t.equal(asks({ prompt: ['none'], redirect_uri }, hosts), true, 'RFC 8252 §8.6: anybody may listen there')
      }
    }
  },
)

t.test('RFC 9396 §1: authorization_details are asked about each time', async (t) => {
  t.equal(needs({ authorization_details: [{ type: 'payment' }] }), true)
})

t.test('claims about the sign-in say nothing about the person', async (t) => {
  const about = { acr: { essential: true }, auth_time: null, sub: null, amr: null }
  t.equal(needs({ claims: { id_token: about } }), false)
  t.same(claimsAskedFor({ id_token: { ...about, email: null }, userinfo: { email: null, name: null } }), [
    'email',
    'name',
  ])
  t.same(claimsAskedFor(null), [])
})

t.test('allowing adds to what was allowed, and keeps when it began', async (t) => {
  const parties = { account_id: 'alice-id', client_id: 'web' }
  const request = makeRequest({
    scope: 'openid email',
    resources: ['https://other.example'],
    redirect_uri: 'com.example.app:/callback',
    claims: { userinfo: { name: null } },
  })
  const merged = mergeConsent(parties, request, makeConsent(), 1_900_000_000)
  t.same(merged, {
    ...parties,
    scope: 'openid profile email',
    resources: ['https://api.example', 'https://other.example'],
    redirect_hosts: ['app.example', 'com.example.app:'],
    claims: ['name'],
    granted_at: makeConsent().granted_at,
    updated_at: 1_900_000_000,
  })
  t.equal(needsConsent(CLIENT, request, merged), false)
  const first = mergeConsent(parties, request, undefined, 1_900_000_000)
  t.match(first, { scope: 'openid email', granted_at: 1_900_000_000 })
})

t.test('a redirect URI as a person can judge it', async (t) => {
  t.equal(redirectHost('https://app.example/a?b=c'), 'app.example')
  t.equal(redirectHost('https://app.example:8443/a'), 'app.example:8443')
  t.equal(redirectHost('com.example.app:/callback'), 'com.example.app:')
  t.equal(redirectHost('com.example.app://host/callback'), 'com.example.app:', 'RFC 8252 §7.1: the scheme is the name')
  t.equal(redirectHost('http://127.0.0.1:51004/callback'), '127.0.0.1/callback', 'RFC 8252 §7.3: the port changes')
  t.equal(redirectHost('http://[::1]:51004/callback'), '[::1]/callback')
  t.equal(redirectHost('http://localhost:51004/callback'), 'localhost/callback')
})
