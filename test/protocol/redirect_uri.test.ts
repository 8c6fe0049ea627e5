import t from 'tap'
import {
  redirectTarget,
  redirectTargetOf,
  redirectUriDifferences,
  redirectUriProblem,
} from '../../server/protocol/redirect_uri.ts'

const web = {
  client_id: 'c',
  application_type: 'web',
  redirect_uris: ['https://rp.example/cb', 'https://rp.example/cb?a=b'],
} as const
const native = {
  client_id: 'n',
  application_type: 'native',
  redirect_uris: ['http://127.0.0.1/cb', 'http://[::1]:5/cb?a=b', 'http://localhost:8000/cb', 'com.example.app:/cb'],
} as const
const asked = { response_mode: 'query', state: undefined, by_name: true } as const
const goesTo = (client: typeof web | typeof native, redirect_uri: string | undefined, by_name = true) => {
  try {
    return redirectTarget(client, { ...asked, redirect_uri, by_name }).redirect_uri
  } catch (error) {
    return error instanceof Error ? error.message : 'something else'
  }
}
const REFUSED = 'invalid_request: redirect_uri is not registered'
const MISSING = 'invalid_request: redirect_uri is missing'

t.test('RFC 9700 §2.1: redirect URIs are compared as strings', async (t) => {
  t.equal(goesTo(web, 'https://rp.example/cb'), 'https://rp.example/cb')
  t.equal(goesTo(web, 'https://rp.example/cb?a=b'), 'https://rp.example/cb?a=b')
  for (const other of [
    'https://rp.example/cb/',
    'https://rp.example/cb?',
    'https://rp.example/cb?a=b&c=d',
    'https://rp.example/cb#',
    'https://rp.example/CB',
    'https://RP.example/cb',
    'HTTPS://rp.example/cb',
    'https://rp.example:443/cb',
    'https://rp.example/x/../cb',
    'https://rp.example/%63b',
    'https://rp.example.evil.example/cb',
    'https://user@rp.example/cb',
    'https://evil.example/https://rp.example/cb',
    ' https://rp.example/cb',
    'http://rp.example/cb',
    '//rp.example/cb',
    'javascript:alert(1)',
    '',
  ]) {
    t.equal(goesTo(web, other), REFUSED, other)
  }
})

t.test('RFC 8252 §7.3: only the port of a native client’s loopback address may differ', async (t) => {
  for (const good of [
    'http://127.0.0.1/cb',
    'http://127.0.0.1:49152/cb',
    'http://[::1]:65535/cb?a=b',
    'http://localhost:1/cb',
    'http://localhost/cb',
    'com.example.app:/cb',
  ]) {
    t.equal(goesTo(native, good), good)
  }
  for (const bad of [
    'http://127.0.0.1:49152/cb/',
    'http://127.0.0.1:49152/cb?a=b',
    'http://127.0.0.2:49152/cb',
    'http://127.0.0.1:99999/cb',
    'http://127.0.0.1:123456/cb',
    'http://127.0.0.1:80@evil.example/cb',
    'http://127.0.0.1:80\\@evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.1:/cb',
    'http://localhost:1@evil.example/cb',
    'http://localhost.evil.example:1/cb',
    'https://127.0.0.1:49152/cb',
    'http://[::1]:5/cb',
    'com.example.app:1/cb',
  ]) {
    t.equal(goesTo(native, bad), REFUSED, bad)
  }
  const webOnLoopback = { ...web, redirect_uris: ['http://127.0.0.1:3000/cb'] }
  t.throws(() => redirectTarget(webOnLoopback, { ...asked, redirect_uri: 'http://127.0.0.1:3001/cb' }))
})

t.test(
  'OAuth 2.1 §4.1.1: redirect_uri may be left out with one registered; OpenID Connect Core §3.1.2.1: not there',
  async (t) => {
    const one = { ...web, redirect_uris: ['https://rp.example/cb'] } as unknown as typeof web
    t.equal(goesTo(one, undefined, false), 'https://rp.example/cb')
    t.equal(goesTo(one, undefined, true), MISSING)
    t.equal(goesTo(web, undefined, false), MISSING)
  },
)

t.test('a request that has waited goes nowhere that is no longer registered', async (t) => {
  const request = { redirect_uri: 'https://rp.example/cb', response_mode: 'query', state: null }
  // What a target is made of is all that it reads.
  const waiting = request as unknown as Parameters<typeof redirectTargetOf>[1]
  t.equal(redirectTargetOf(web, waiting).redirect_uri, 'https://rp.example/cb')
  t.throws(() => redirectTargetOf({ ...web, redirect_uris: ['https://rp.example/other'] }, waiting))
})

t.test('what can be registered', async (t) => {
  for (const uri of [
    'https://rp.example/cb',
    'https://rp.example',
    'https://rp.example:8443/cb?tenant=1',
    'http://localhost:3000/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:9/cb',
  ]) {
    t.equal(redirectUriProblem(uri, 'web'), undefined, uri)
    t.equal(redirectUriProblem(uri, 'native'), undefined, uri)
  }
  t.equal(redirectUriProblem('com.example.app:/cb', 'native'), undefined)
  t.match(redirectUriProblem('com.example.app:/cb', 'web'), /native/)
})

t.test('RFC 9700 §4.1: what cannot be registered', async (t) => {
  for (const [uri, problem] of [
    ['https://rp.example/cb#', /fragment/],
    ['https://rp.example/cb#x', /fragment/],
    ['https://*.example/cb', /wildcard/],
    ['https://rp.example/*', /wildcard/],
    ['https://user@rp.example/cb', /user name/],
    ['https://user:pw@rp.example/cb', /user name/],
    ['https://@rp.example/cb', /user name/],
    ['https://rp.example/cb?code=1', /parameter code/],
    ['https://rp.example/cb?a=1&%73tate=1', /parameter state/],
    ['https://rp.example/cb?iss=1', /parameter iss/],
    ['https://rp.example/cb?error=1', /parameter error/],
    ['https://rp.example/cb?response=1', /parameter response/],
    ['http://rp.example/cb', /http/],
    ['http://127.0.0.1.evil.example/cb', /http/],
    ['http://127.0.0.1:80@evil.example/', /user name/],
    ['javascript:alert(1)', /scheme javascript/],
    ['data:text/html,x', /scheme data/],
    ['vbscript:x', /scheme vbscript/],
    ['file:///etc/passwd', /scheme file/],
    ['blob:https://rp.example/x', /scheme blob/],
    ['myapp:/cb', /reversed domain/],
    ['/cb', /absolute/],
    ['https:/rp.example', /host/],
    ['https://rp.example/a b', /characters/],
    ['https://rp.example/\\evil', /characters/],
    ['https://rp.example/cb\r\nx: y', /characters/],
    [`https://rp.example/${'a'.repeat(2048)}`, /longer/],
  ] as const) {
    t.match(redirectUriProblem(uri, 'native'), problem, uri)
  }
})

t.test('a developer is told how what was sent differs', async (t) => {
  const differs = (sent: string, registered: string) => redirectUriDifferences(sent, [registered])[0]?.differs
  t.match(differs('https://rp.example/cb/', 'https://rp.example/cb'), ['a slash too many at the end'])
  t.match(differs('https://rp.example/cb', 'https://rp.example/cb/'), ['a slash is missing at the end'])
  t.match(differs('http://rp.example/cb', 'https://rp.example/cb'), ['scheme: http for https'])
  t.match(differs('http://localhost:3000/cb', 'http://127.0.0.1:3000/cb'), [/host: .*the same machine/])
  t.match(differs('http://localhost:3000/cb', 'http://localhost:3001/cb'), ['port: 3000 for 3001'])
  t.match(differs('https://rp.example/cb?x=1', 'https://rp.example/cb'), ['query: ?x=1 for none'])
  t.match(differs('https://RP.example/cb', 'https://rp.example/cb'), [/spelling/])
  t.match(differs('cb', 'https://rp.example/cb'), [/absolute/])
})
