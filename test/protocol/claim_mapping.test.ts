import t from 'tap'
import {
  type ClaimMapping,
  claimMappingProblems,
  mappedBytes,
  mappedClaims,
  mergeMappings,
} from '../../server/protocol/claim_mapping.ts'
import { CLAIM_TEMPLATES } from '../../server/protocol/claim_templates.ts'
import { makeGrant } from '../helpers/grant.ts'
import { sampleAccount, sampleClient } from '../storage/samples.ts'

const account = sampleAccount({
  account_id: 'a1',
  legacy_user_id: '4711',
  username: 'alice',
  email: 'alice@example.com',
  email_verified_at: 1,
  name: 'Alice',
  roles: ['editor', 'staff'],
  profile: { given_name: 'Al', address: { country: 'PT' } },
})
const client = sampleClient({ client_id: 'web', client_name: 'Web' })
const grant = makeGrant({ grant_id: 'g1', session_id: 's1' })
const from = { client, account, grant, sub: 'a1', scope: 'read write' }

const map = (mapping: ClaimMapping, changes = {}) => mappedClaims(mapping, { ...from, ...changes })

t.test('a value that is nothing but a name keeps its type; within a text it becomes text', async (t) => {
  t.strictSame(map({ a: '{{sub}}', b: '{{roles}}', c: '{{email_verified}}', d: '{{auth_time}}', e: '{{ address }}' }), {
    a: 'a1',
    b: ['editor', 'staff'],
    c: true,
    d: grant.auth_time,
    e: { country: 'PT' },
  })
  t.strictSame(map({ a: 'oidc:{{username}}', b: '{{roles}}!', c: '{{scopes}}' }), {
    a: 'oidc:alice',
    b: 'editor staff!',
    c: ['read', 'write'],
  })
})

t.test('static values stay as they are, however they nest', async (t) => {
  const fixed = { a: 1, b: true, c: null, d: ['x', { y: [] }], e: { f: 'text', g: '{ {sub} } {{' } }
  t.strictSame(map(fixed), fixed)
})

t.test('a list within a list is laid flat', async (t) => {
  t.strictSame(map({ a: ['user', '{{roles}}', '{{role}}'] }), { a: ['user', 'editor', 'staff', 'editor'] })
})

t.test('what is not known is left out: the claim, the member, the item', async (t) => {
  const bare = { account: sampleAccount({ username: 'bob', email: null, roles: [] }) }
  t.strictSame(
    map({ a: '{{email}}', b: { c: '{{name}}', d: 1 }, e: ['{{given_name}}', 'x'], f: 'hi {{name}}' }, bare),
    {
      b: { d: 1 },
      e: ['x'],
    },
  )
  t.strictSame(map({ a: '{{roles}}', b: '{{role}}' }, bare), { a: [] })
})

t.test('a client that speaks for itself has nothing of a person', async (t) => {
  const names = ['username', 'email', 'roles', 'account_id', 'grant_id', 'sid', 'auth_time', 'given_name']
  const mapping = Object.fromEntries(names.map((name) => [name, `{{${name}}}`]))
  t.strictSame(map({ ...mapping, who: '{{client_id}}' }, { account: null, grant: null, sub: 'web' }), { who: 'web' })
})

t.test('OpenID Connect Core §8.1: a client with pairwise subjects learns no other name of the account', async (t) => {
  const pairwise = { client: { ...client, subject_type: 'pairwise' as const }, sub: 'p1' }
  t.strictSame(map({ a: '{{sub}}', b: '{{account_id}}', c: '{{legacy_user_id}}' }, pairwise), { a: 'p1' })
})

t.test('what every token says by itself cannot be mapped over', async (t) => {
  for (const name of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'scope', 'cnf', 'act', 'token_type', 'status']) {
    t.match(claimMappingProblems({ [name]: 'x' }), [new RegExp(`^${name} is a claim that every token`)], name)
  }
  t.strictSame(claimMappingProblems({ user_id: '{{sub}}', 'https://a.example/iss': 1, role: 'x' }), [])
})

t.test('RFC 7519 §4: names that would change an object are no names', async (t) => {
  const parsed = (text: string) => claimMappingProblems(JSON.parse(text))
  t.ok(parsed('{"__proto__":{"admin":true}}').length > 0)
  t.ok(parsed('{"a":{"__proto__":1}}').length > 0)
  t.ok(parsed('{"constructor":1}').length > 0)
  t.strictSame(map(JSON.parse('{"toString":"{{sub}}","a":{"valueOf":1}}')), { toString: 'a1', a: { valueOf: 1 } })
})

t.test('only what is listed can be named, and the problem says what is', async (t) => {
  for (const name of ['password_hash', 'constructor', '__proto__', 'toString', '', 'roles.0', 'SUB']) {
    t.match(claimMappingProblems({ a: { b: [`x {{${name}}}`] } }), [/is not known; known are sub, /], name)
  }
})

t.test('a mapping has an end', async (t) => {
  t.match(claimMappingProblems({ a: 'x'.repeat(4096) }), [/longer than 4096/])
  t.match(claimMappingProblems({ ['x'.repeat(256)]: 1 }), [/1 to 255 characters/])
  t.strictSame(claimMappingProblems({ a: `{{${' '.repeat(4000)}` }), [], 'and none that takes long to find')
  let deep: ClaimMapping = { a: 1 }
  for (let depth = 0; depth < 7; depth += 1) deep = { a: deep }
  t.match(claimMappingProblems(deep), [/nests more than 6/])
})

t.test('resources share a token unless they want different values under one name', async (t) => {
  t.strictSame(mergeMappings([{ a: 1 }, {}, { a: 1, b: [2] }]), { a: 1, b: [2] })
  t.equal(mergeMappings([{ a: 1 }, { a: 2 }]), undefined)
  t.strictSame(mergeMappings([{ toString: 'x' }]), { toString: 'x' })
})

t.test('the templates can be registered, and say what their software looks for', async (t) => {
  for (const [name, { claims }] of Object.entries(CLAIM_TEMPLATES)) t.strictSame(claimMappingProblems(claims), [], name)
  t.strictSame(map(CLAIM_TEMPLATES.hasura?.claims ?? {}), {
    'https://hasura.io/jwt/claims': {
      'x-hasura-user-id': 'a1',
      'x-hasura-default-role': 'user',
      'x-hasura-allowed-roles': ['user', 'editor', 'staff'],
    },
  })
  t.match(map(CLAIM_TEMPLATES.simplejwt?.claims ?? {}), { user_id: '4711', username: 'alice' })
  t.strictSame(map(CLAIM_TEMPLATES.kubernetes?.claims ?? {}), {
    preferred_username: 'alice',
    groups: ['editor', 'staff'],
  })
})

t.test('how long the claims are is counted in bytes of UTF-8', async (t) => {
  const parties = { client, account, scope: 'read' }
  t.equal(mappedBytes({}, parties), 0)
  t.equal(mappedBytes({ a: '{{name}}' }, parties), JSON.stringify({ a: 'Alice' }).length)
  t.equal(mappedBytes({ a: '☕' }, parties), JSON.stringify({ a: 'xxx' }).length)
  t.equal(mappedBytes({ a: '{{name}}' }, { ...parties, account: null }), '{}'.length)
})
