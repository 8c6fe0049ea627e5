import t from 'tap'
import {
  headerValue,
  identityHeaders,
  isNavigation,
  originalRequest,
  prefixedRequest,
  readForwardPolicy,
} from '../../server/protocol/forward_auth.ts'
import { parseForm } from '../../server/protocol/parameters.ts'

const read = (query: string) => readForwardPolicy(query, parseForm(Buffer.from(query)))

t.test('a policy is read as it was written', async (t) => {
  t.strictSame(read('resource=https%3A%2F%2Fapi.example&scope=read+write&role=admin&role=a%20b&max_age=600'), {
    resource: 'https://api.example',
    scope: 'read write',
    roles: ['admin', 'a b'],
    accept: new Set(['token']),
    redirects: false,
    max_age: 600,
  })
  t.match(read(''), { scope: '', roles: [], accept: new Set(['token', 'session']), redirects: false })
  t.match(read('accept=token+session&scope=read'), { accept: new Set(['token', 'session']) }, 'said, not assumed')
  t.match(read('acr_values=a%20b&sign_in=redirect'), { acr_values: ['a', 'b'], redirects: true })
})

t.test('a policy with a mistake lets nobody in: a rule that does not hold is noticed by no one', async (t) => {
  for (const query of [
    'scopes=admin',
    'scope=',
    'role',
    'role=admin&role=',
    'scope=read&scope=write',
    'resource=a&resource=b',
    'scope=%22',
    'accept=nobody',
    'accept=token+',
    'max_age=-1',
    'max_age=9',
    'max_age=1e3',
    'sign_in=yes',
    '=x',
    'role=a&&role=b',
    'scope=%ff',
  ]) {
    t.throws(() => read(query), { code: 'invalid_request' }, query)
  }
})

const FORWARDED = {
  'x-forwarded-method': 'GET',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'app.example',
  'x-forwarded-uri': '/a/b?c=d&e=f',
}

t.test('the original request, as Traefik, Caddy and nginx tell it, and as ingress-nginx does', async (t) => {
  t.match(originalRequest(FORWARDED), { method: 'GET', url: { href: 'https://app.example/a/b?c=d&e=f' } })
  const original = { 'x-original-url': 'https://app.example/x', 'x-original-method': 'POST' }
  t.match(originalRequest(original), { method: 'POST', url: { href: 'https://app.example/x' } })
  t.match(originalRequest({ ...FORWARDED, 'x-forwarded-host': '[::1]:8080' }), { url: { host: '[::1]:8080' } })
  t.match(
    prefixedRequest('DELETE', { host: 'app.example', 'x-forwarded-proto': 'https' }, '/x?y'),
    { method: 'DELETE', url: { href: 'https://app.example/x?y' } },
    'Envoy',
  )
})

t.test('an original request that is told by half, twice or in two ways is not believed', async (t) => {
  const not = (name: string, headers: Record<string, string | undefined>) =>
    t.equal(originalRequest({ ...FORWARDED, ...headers }), undefined, name)
  not('two hosts', { 'x-forwarded-host': 'app.example, evil.example' })
  not('a host with a user', { 'x-forwarded-host': 'app.example@evil.example' })
  not('a host with a path', { 'x-forwarded-host': 'evil.example/x' })
  not('no host', { 'x-forwarded-host': undefined })
  not('another scheme', { 'x-forwarded-proto': 'javascript' })
  not('two schemes', { 'x-forwarded-proto': 'https, http' })
  not('no path', { 'x-forwarded-uri': '@evil.example/' })
  not('two paths', { 'x-forwarded-uri': '/a, /b' })
  not('a backslash', { 'x-forwarded-uri': '/\\evil.example' })
  not('too long', { 'x-forwarded-uri': `/${'a'.repeat(5000)}` })
  not('no method', { 'x-forwarded-method': undefined })
  not('two methods', { 'x-forwarded-method': 'GET, POST' })
  not('another address beside it', { 'x-original-url': 'https://app.example/other' })
  not('another method beside it', {
    'x-original-url': 'https://app.example/a/b?c=d&e=f',
    'x-original-method': 'POST',
  })
  t.ok(originalRequest({ ...FORWARDED, 'x-original-url': 'https://app.example/a/b?c=d&e=f' }), 'the same beside it')
  t.match(
    originalRequest({ ...FORWARDED, 'x-forwarded-uri': '//evil.example/x' }),
    { url: { host: 'app.example' } },
    'two slashes are a path',
  )
  t.equal(originalRequest({}), undefined)
})

t.test('Fetch Metadata: a browser that shows a page can be led away, a script cannot', async (t) => {
  t.ok(isNavigation({ 'sec-fetch-mode': 'navigate' }))
  t.ok(isNavigation({ accept: 'text/html,application/xhtml+xml' }))
  t.notOk(isNavigation({ 'sec-fetch-mode': 'cors', accept: 'text/html' }))
  t.notOk(isNavigation({ accept: 'application/json' }))
  t.notOk(isNavigation({}))
})

t.test('RFC 9110 §5.5: any text is a header value, and can be read back', async (t) => {
  for (const text of ['alice', 'Zoë Müller', '李雷', '50 % off', 'a\r\nSet-Cookie: x=y', ' a ', '\0', '👩‍💻', 'a,b']) {
    const value = headerValue(text)
    t.match(value, /^(?:[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?)?$/, value)
    t.equal(decodeURIComponent(value), text)
  }
  t.equal(headerValue('\ud800'), '%EF%BF%BD', 'half a character is none')
})

const ALICE = {
  account_id: 'a1',
  username: 'alice',
  email: 'alice@example.com',
  email_verified_at: 1,
  name: 'Zoë',
  profile: {},
  roles: ['admin', 'a,b'],
  password_hash: null,
  legacy_user_id: null,
  disabled_at: null,
  created_at: 0,
  updated_at: 0,
}
const CLIENT = { client_id: 'web', first_party: false, subject_type: 'public' } as const

t.test('a session and an own client tell who it is; every header is there', async (t) => {
  const all = {
    'x-auth-subject': 'a1',
    'x-auth-username': 'alice',
    'x-auth-email': 'alice@example.com',
    'x-auth-name': 'Zo%C3%AB',
    'x-auth-roles': 'admin,a%2Cb',
    'x-auth-scope': '',
    'x-auth-client': '',
    'remote-user': 'alice',
    'remote-groups': 'admin,a%2Cb',
  }
  const admitted = { sub: 'a1', account: ALICE, client: undefined, scope: '' }
  t.strictSame(identityHeaders(admitted), all)
  const own = { ...admitted, client: { ...CLIENT, first_party: true }, scope: 'read' }
  t.strictSame(identityHeaders(own), { ...all, 'x-auth-scope': 'read', 'x-auth-client': 'web' })
  const service = identityHeaders({ ...own, sub: 'web', account: null })
  t.strictSame(Object.keys(service), Object.keys(all), 'what is not known is empty, not missing')
  t.match(service, { 'x-auth-subject': 'web', 'x-auth-username': '', 'remote-user': '', 'x-auth-roles': '' })
})

t.test("OpenID Connect Core §5.4: a stranger's token tells what its scope allows, and no roles", async (t) => {
  const told = (scope: string, changes = {}) =>
    identityHeaders({ sub: 's', account: ALICE, client: { ...CLIENT, ...changes }, scope })
  t.match(told('read'), { 'x-auth-username': '', 'x-auth-email': '', 'x-auth-name': '', 'x-auth-roles': '' })
  t.match(told('profile'), { 'x-auth-username': 'alice', 'x-auth-email': '', 'x-auth-name': 'Zo%C3%AB' })
  t.match(told('email'), { 'remote-user': '', 'x-auth-email': 'alice@example.com', 'remote-groups': '' })
  t.match(told('', { first_party: true, subject_type: 'pairwise' }), { 'x-auth-username': '', 'remote-user': '' })
  const unproved = { sub: 's', account: { ...ALICE, email_verified_at: null }, client: undefined, scope: '' }
  t.match(identityHeaders(unproved), { 'x-auth-email': '' }, 'an address that nobody has proved')
})
