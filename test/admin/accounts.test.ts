import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'
import { basic, NOW, PASSWORD } from '../helpers/app.ts'

const admin = await buildTestAdmin(t, { config: { throttle: { max_consecutive_failures: 5 } } })
const { call, complaints, deps, issuer } = admin
const PHC = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

t.test('an account is made, found by any of its names, and never shows its password', async (t) => {
  const wanted = { username: 'Alice', email: 'alice@example.com', name: 'Alice', password: PASSWORD, roles: ['staff'] }
  const made = await call('POST', 'accounts', wanted)
  t.equal(made.statusCode, 201)
  const account = made.json()
  t.match(account, { username: 'Alice', email_verified: false, has_password: true, disabled_at: null, created_at: NOW })
  t.notMatch(made.body, /argon2|passphrase/)
  for (const name of [account.account_id, 'alice', 'ALICE@example.com']) {
    t.same((await call('GET', `accounts/${encodeURIComponent(name)}`)).json(), account)
  }
  for (const filter of ['username=aLICE', 'email=alice@EXAMPLE.com', 'username=alice&email=alice@example.com']) {
    t.same((await call('GET', `accounts?${filter}`)).json(), { items: [account], next_cursor: null })
  }
  for (const filter of ['username=nobody', 'email=alice', 'username=alice&email=bob@example.com']) {
    t.same((await call('GET', `accounts?${filter}`)).json().items, [], filter)
  }
  t.same(await auditedEvents(admin, 1), ['admin.account_created cli'])
})

t.test('an identifier belongs to one account', async (t) => {
  t.equal((await call('POST', 'accounts', { username: 'ALICE' })).statusCode, 409)
  t.equal((await call('POST', 'accounts', { username: 'alice@example.com' })).statusCode, 409)
})

t.test('everything wrong with an account is said at once', async (t) => {
  const wrong = { username: '', email: 'nowhere', password: 'short', roles: [' '] }
  t.same((await complaints('POST', 'accounts', wrong)).sort(), ['email', 'password', 'roles', 'username'])
  t.same(await complaints('POST', 'accounts', { username: 'x', password_hash: 'md5' }), ['password_hash'])
  t.same((await complaints('POST', 'accounts', { usename: 'x', email: 1 })).sort(), ['email', 'usename', 'username'])
})

t.test('a password hash made elsewhere is taken', async (t) => {
  t.equal((await call('POST', 'accounts', { username: 'imported', password_hash: PHC })).json().has_password, true)
})

t.test('a change keeps what it does not name', async (t) => {
  const changed = await call('PATCH', 'accounts/alice', { name: null, email_verified: true })
  t.match(changed.json(), { username: 'Alice', name: null, email: 'alice@example.com', email_verified: true })
  const moved = await call('PATCH', 'accounts/alice', { email: 'new@example.com' })
  t.equal(moved.json().email_verified, false, 'a new address has not been verified')
  t.equal((await call('PATCH', 'accounts/alice', { username: 'imported' })).statusCode, 409)
  t.equal((await call('PATCH', 'accounts/nobody', {})).statusCode, 404)
  t.same(await complaints('PATCH', 'accounts/alice', { password: PASSWORD }), ['password'])
  t.equal((await admin.signIn('alice')).access.split('.').length, 3, 'and the password')
})

t.test('RFC 5789 §2: of changes in the same moment none undoes another', async (t) => {
  await call('POST', 'accounts', { username: 'many' })
  const changes = [{ name: 'Many' }, { roles: ['a'] }, { email: 'many@example.com' }, { profile: { locale: 'de' } }]
  const answers = await Promise.all(changes.map((change) => call('PATCH', 'accounts/many', change)))
  t.same(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 200],
  )
  const merged = { name: 'Many', roles: ['a'], email: 'many@example.com', profile: { locale: 'de' } }
  t.match((await call('GET', 'accounts/many')).json(), merged)
})

t.test('disabling ends the account and what it had; enabling brings back only the account', async (t) => {
  const { refresh } = await admin.signIn('alice')
  t.equal((await call('POST', 'accounts/alice/disable')).statusCode, 204)
  t.equal((await call('POST', 'accounts/alice/disable')).statusCode, 204, 'twice is once')
  await t.rejects(admin.signIn('alice'))
  t.equal((await call('POST', 'accounts/alice/enable')).statusCode, 204)
  t.equal((await admin.postJson('/api/token/refresh/', { refresh })).statusCode, 401)
  await t.resolves(admin.signIn('alice'))
  t.equal((await call('POST', 'accounts/nobody/disable')).statusCode, 404)
})

t.test('a reset lifts the lock of failures in a row, under each of its names', async (t) => {
  const { max_consecutive_failures } = deps.config.throttle
  const guess = (address: number) =>
    admin.inject({
      method: 'POST',
      url: '/api/token/',
      remoteAddress: `192.0.2.${address}`,
      payload: { username: 'alice', password: 'wrong wrong wrong' },
    })
  for (let n = 0; n < max_consecutive_failures; n++) {
    await guess(n)
    admin.clock.advance(60)
  }
  await t.rejects(admin.signIn('alice'), /429/)
  t.equal((await call('POST', 'accounts/alice/reset-throttle')).statusCode, 204)
  await t.resolves(admin.signIn('alice'))
})

t.test('lists go page by page', async (t) => {
  const first = (await call('GET', 'accounts?limit=1')).json()
  t.equal(first.items.length, 1)
  const second = (await call('GET', `accounts?limit=200&cursor=${first.next_cursor}`)).json()
  t.notOk(second.items.some(({ account_id }: { account_id: string }) => account_id === first.items[0].account_id))
  t.equal(second.next_cursor, null)
  for (const limit of ['0', '201', 'x', '']) {
    t.equal((await call('GET', `accounts?limit=${limit}`)).statusCode, 400, limit)
  }
})

t.test('nobody grants what they lack: a client that may not read makes no administrator', async (t) => {
  await admin.createClient({ client_id: 'writer', client_secret: 'long secret', scope: 'gatehouse:write' })
  const form = { grant_type: 'client_credentials', resource: `${issuer}/admin/api` }
  const granted = await admin.postForm('/token', form, basic('writer', 'long secret'))
  const { access_token: token } = granted.json()
  const as = (method: 'POST' | 'PATCH', path: string, body: unknown) => call(method, path, body, { token })
  t.equal((await as('POST', 'accounts', { username: 'eve', roles: ['admin'] })).statusCode, 403)
  t.equal((await as('POST', 'accounts', { username: 'eve', roles: ['staff'] })).statusCode, 201)
  t.equal((await as('PATCH', 'accounts/eve', { roles: ['admin'] })).statusCode, 403)
  t.equal((await call('PATCH', 'accounts/eve', { roles: ['admin'] })).statusCode, 200)
  t.equal((await as('PATCH', 'accounts/eve', { email: 'mine@example.com' })).statusCode, 403, 'nor takes one over')
})

t.test('OpenID Connect Core §5.1: what is known of a person is read and changed member by member', async (t) => {
  const profile = { given_name: 'Paula', locale: 'de-AT', address: { formatted: 'Gasse 1\n1010 Wien' } }
  const made = await call('POST', 'accounts', { username: 'paula', profile })
  t.equal(made.statusCode, 201)
  t.same(made.json().profile, profile)
  const change = { profile: { given_name: null, phone_number: '+43 1 234', phone_number_verified: true } }
  const changed = await call('PATCH', 'accounts/paula', change)
  t.equal(changed.statusCode, 200)
  const { given_name: _, ...kept } = profile
  t.same(changed.json().profile, { ...kept, phone_number: '+43 1 234', phone_number_verified: true })
  t.same((await call('GET', 'accounts/paula')).json().profile, changed.json().profile)
  t.same((await call('PATCH', 'accounts/paula', { name: 'Paula' })).json().profile, changed.json().profile)
})

t.test('a profile holds claims in their form and nothing else', async (t) => {
  const wrong = (profile: object) => complaints('PATCH', 'accounts/paula', { profile })
  t.same(await wrong({ given_nam: 'x' }), ['profile/given_nam'])
  t.same(await wrong({ website: 'javascript:alert(1)' }), ['profile/website'])
  t.same(await wrong({ birthdate: 'yesterday' }), ['profile/birthdate'])
  t.ok((await wrong({ address: { planet: 'Earth' } })).includes('profile/address/planet'))
  t.same(await wrong({ phone_number: null, phone_number_verified: true }), ['profile'])
})
