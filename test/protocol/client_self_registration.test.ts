import t from 'tap'
import type { ClientRegistration } from '../../server/protocol/client_registration.ts'
import {
  isMetadataDocumentUrl,
  selfRegisteredMembersOf,
  selfRegistration,
} from '../../server/protocol/client_self_registration.ts'

const limits = {
  scope: 'openid read gatehouse:read',
  resources: ['https://api.example'],
  grant_types: ['refresh_token'],
  require_pkce: true,
}

function asked(registration: ClientRegistration, changes = {}): ClientRegistration {
  const result = selfRegistration(registration, { ...limits, ...changes })
  if ('problems' in result) throw new Error(result.problems[0]?.field)
  return result.value
}

t.test('RFC 7591 §3.2.1: scopes of resources are all there to be asked for, those about a person as asked', (t) => {
  const offered = { scope: 'openid email read write gatehouse:read' }
  t.match(asked({ scope: 'read' }, offered), { scope: 'read write' }, 'a challenge names one at a time')
  t.match(asked({ scope: 'openid' }, offered), { scope: 'openid read write' })
  t.match(asked({ scope: 'read' }, { scope: '*' }), { scope: 'read' }, 'the wildcard covers what is about a person too')
  t.throws(() => asked({ scope: 'other' }, offered), /scope/)
  t.end()
})

t.test('RFC 7591 §2: what is too much is cut', async (t) => {
  t.match(asked({}), { scope: 'openid read', resources: limits.resources })
  t.match(asked({ scope: 'read write' }), { scope: 'read' })
  t.match(
    asked({ scope: 'write gatehouse:read' }, { scope: '*' }),
    { scope: 'write' },
    'no wildcard covers the admin API',
  )
  t.throws(() => asked({ scope: 'gatehouse:read' }), /scope/)
  t.match(asked({ resources: ['https://api.example', 'https://other.example', '*'] }), { resources: limits.resources })
  t.match(asked({ resources: ['https://other.example', '*'] }, { resources: ['*'] }), {
    resources: ['https://other.example'],
  })
  t.match(asked({ grant_types: ['refresh_token', 'implicit'] }), { grant_types: ['refresh_token'] })
  t.match(asked({ response_types: ['code', 'token'] }), { response_types: ['code'] })
})

t.test(
  'OAuth 2.1 §7.5.1: who does not say has to send PKCE, unless configured otherwise for who authenticates',
  async (t) => {
    const lax = { require_pkce: false }
    t.match(asked({}), { require_pkce: true })
    t.match(asked({}, lax), { require_pkce: false })
    t.match(asked({ require_pkce: true }, lax), { require_pkce: true })
    t.match(asked({ require_pkce: false }), { require_pkce: false }, 'its own word counts')
    t.match(asked({ token_endpoint_auth_method: 'private_key_jwt' }, lax), { require_pkce: false })
    t.match(asked({ token_endpoint_auth_method: 'none' }, lax), { require_pkce: true })
  },
)

t.test('what an operator decides is not for a client to say', async (t) => {
  const own = { first_party: true, may_impersonate: true, refresh_token_profile: 'fixed' } as const
  t.match(asked(own), { first_party: null, may_impersonate: null, refresh_token_profile: null })
  t.strictSame(selfRegisteredMembersOf({ ...own, client_name: 'a', constructor: 1, unknown: 2 }), { client_name: 'a' })
})

t.test('Client ID Metadata Document §3: which URLs are client ids', async (t) => {
  const isOne = (client_id: string) => isMetadataDocumentUrl(client_id, (url) => url.startsWith('https:'))
  for (const url of [
    'https://a.example/',
    'https://a.example/x/y.json',
    'https://a.example:8443/x',
    'https://a.example/?q=1',
  ]) {
    t.ok(isOne(url), url)
  }
  const others = [
    'https://a.example',
    'https://a.example?x=/',
    'http://a.example/x',
    'https://user@a.example/x',
    'https://user:password@a.example/x',
    'https://a.example/x#y',
    'https://a.example/x#',
    'https://a.example/../x',
    'https://a.example/./x',
    'https://a.example/%2e%2e/x',
    'https://A.example/x',
    'https://a.example:443/x',
    'https://a.example\\@b.example/x',
    'https://a.example/x y',
    'https:///x',
    'HTTPS://a.example/x',
    'client',
    '',
    `https://a.example/${'x'.repeat(2048)}`,
  ]
  for (const url of others) t.notOk(isOne(url), url)
})
