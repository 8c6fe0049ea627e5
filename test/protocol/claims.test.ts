import t from 'tap'
import type { Account } from '../../server/protocol/account.ts'
import { CLAIM_NAMES, idTokenAccountClaims, userinfoClaims } from '../../server/protocol/claims.ts'

const account: Account = {
  account_id: 'id',
  username: 'alice',
  email: 'alice@example.com',
  email_verified_at: 5,
  name: 'Alice Adams',
  profile: {
    given_name: 'Alice',
    locale: 'de-AT',
    phone_number: '+43 1 234',
    address: { locality: 'Wien', country: 'Austria' },
  },
  roles: ['admin'],
  password_hash: 'secret',
  disabled_at: null,
  created_at: 0,
  updated_at: 7,
  legacy_user_id: null,
}
const client = { scope: 'openid profile email address phone' }
const bare: Account = { ...account, email: null, email_verified_at: null, name: null, profile: {} }

t.test('OpenID Connect Core §5.4: each scope asks for its claims', async (t) => {
  const of = (scope: string) => userinfoClaims(client, account, { scope, claims: null })
  t.strictSame(of('openid'), {})
  t.strictSame(of('openid email'), { email: 'alice@example.com', email_verified: true })
  t.strictSame(of('openid phone'), { phone_number: '+43 1 234', phone_number_verified: false })
  t.strictSame(of('openid address'), { address: { locality: 'Wien', country: 'Austria' } })
  t.strictSame(of('openid profile'), {
    name: 'Alice Adams',
    given_name: 'Alice',
    preferred_username: 'alice',
    locale: 'de-AT',
    updated_at: 7,
  })
})

t.test('OpenID Connect Core §5.3.2: what is not known is left out, not null', async (t) => {
  const scope = 'openid profile email address phone'
  t.strictSame(userinfoClaims(client, bare, { scope, claims: null }), { preferred_username: 'alice', updated_at: 7 })
  const unverified = { ...account, email_verified_at: null }
  t.match(userinfoClaims(client, unverified, { scope, claims: null }), { email_verified: false })
})

t.test('OpenID Connect Core §5.5: claims are asked for by name, at UserInfo or in the ID token', async (t) => {
  const claims = { userinfo: { name: null }, id_token: { email: { essential: true }, locale: null } }
  t.strictSame(userinfoClaims(client, account, { scope: 'openid', claims }), { name: 'Alice Adams' })
  t.strictSame(idTokenAccountClaims(client, account, claims), { email: 'alice@example.com', locale: 'de-AT' })
  t.strictSame(idTokenAccountClaims(client, account, null), {})
  t.strictSame(idTokenAccountClaims(client, account, { userinfo: { name: null } }), {}, '§5.4: the rest is UserInfo’s')
})

t.test('OpenID Connect Core §5.5.1: value and values ask for such a value only', async (t) => {
  const ask = (locale: object) => idTokenAccountClaims(client, account, { id_token: { locale } })
  t.strictSame(ask({ value: 'de-AT' }), { locale: 'de-AT' })
  t.strictSame(ask({ values: ['en', 'de-AT'] }), { locale: 'de-AT' })
  t.strictSame(ask({ value: 'en' }), {})
  t.strictSame(ask({ values: ['en'] }), {})
})

t.test('a claim asked for by name takes the registration that its scope takes', async (t) => {
  const claims = { userinfo: { email: null, name: null }, id_token: { email: null } }
  const narrow = { scope: 'openid profile' }
  t.strictSame(userinfoClaims(narrow, account, { scope: 'openid', claims }), { name: 'Alice Adams' })
  t.strictSame(idTokenAccountClaims(narrow, account, claims), {})
  t.match(userinfoClaims({ scope: '*' }, account, { scope: 'openid', claims }), { email: 'alice@example.com' })
})

t.test('nothing that is no claim ever leaves: not by name, not by a name of the prototype', async (t) => {
  const names = ['password_hash', 'roles', 'account_id', 'disabled_at', 'constructor', '__proto__', 'toString']
  const requested = Object.fromEntries(names.map((name) => [name, null]))
  const claims = { userinfo: requested, id_token: requested }
  t.strictSame(userinfoClaims({ scope: '*' }, account, { scope: names.join(' '), claims }), {})
  t.strictSame(idTokenAccountClaims({ scope: '*' }, account, claims), {})
  t.notOk(names.some((name) => CLAIM_NAMES.includes(name)))
})
