import t from 'tap'
import { auditedEvents, buildTestAdmin } from '../helpers/admin.ts'
import { basic, NOW, PASSWORD } from '../helpers/app.ts'

const admin = await buildTestAdmin(t)
const { call, complaints, deps } = admin
/** `PASSWORD`, as Django keeps it. */
const HASH = 'pbkdf2_sha256$1000$seasalt2seasalt2$FtichNAr9+78fkfzyJkcyPF7KcD0CiLgJp9hu/nPO/s='

interface Result {
  outcome: string
  account_id?: string
  errors?: { field: string; message: string }[]
}
async function bring(accounts: object[], options: object = {}): Promise<Result[]> {
  const response = await call('POST', 'accounts/import', { accounts, ...options })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json().results
}
const outcomes = async (accounts: object[], options?: object) =>
  (await bring(accounts, options)).map(({ outcome }) => outcome)
const read = async (name: string) => (await call('GET', `accounts/${encodeURIComponent(name)}`)).json()

const alice = {
  username: 'alice',
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice',
  profile: { given_name: 'Alice', locale: 'de-AT' },
  roles: ['staff'],
  password_hash: HASH,
  disabled: false,
  created_at: 1_500_000_000,
  legacy_user_id: '7',
}

t.test('accounts move in with all that they were, and each is told of in the audit trail', async (t) => {
  const gone = { username: 'gone', disabled: true, password_hash: '!unusable', legacy_user_id: '8' }
  t.same(await outcomes([alice, gone]), ['created', 'created'])
  const { password_hash: _, disabled: __, ...shown } = alice
  t.match(await read('alice'), { ...shown, has_password: true, disabled_at: null })
  t.match(await read('gone'), { has_password: false, disabled_at: NOW, legacy_user_id: '8' })
  const events = ['admin.accounts_imported cli', 'admin.account_created cli', 'admin.account_created cli']
  t.same(await auditedEvents(admin, 3), events)
})

t.test('sent again, nothing happens; what differs is a conflict, skipped or changed, as asked', async (t) => {
  t.same(await outcomes([alice, { username: 'ALICE' }]), ['unchanged', 'conflict'])
  const [differing] = await bring([{ ...alice, name: 'Alicia', roles: [] }])
  t.match(differing, { outcome: 'conflict', errors: [{ field: 'name' }, { field: 'roles' }] })
  t.same(await outcomes([{ ...alice, name: 'Alicia' }], { on_conflict: 'skip' }), ['skipped'])
  t.match(await read('alice'), { name: 'Alice' })
  t.same(await outcomes([{ ...alice, name: 'Alicia' }], { on_conflict: 'update' }), ['updated'])
  t.match(await read('alice'), { name: 'Alicia', profile: alice.profile, created_at: alice.created_at })
  t.same(await outcomes([{ username: 'alice', legacy_user_id: '7' }], { on_conflict: 'update' }), ['unchanged'])
  t.same(await outcomes([alice], { on_conflict: 'update' }), ['updated'])
})

t.test('who cannot use a password stays so, and who could is kept from it when the file says so', async (t) => {
  t.same(await outcomes([{ username: 'gone', password_hash: '!other' }]), ['unchanged'])
  t.same(await outcomes([{ username: 'locked', password_hash: HASH }]), ['created'])
  t.same(await outcomes([{ username: 'locked', password_hash: '!' }], { on_conflict: 'update' }), ['updated'])
  t.match(await read('locked'), { has_password: false })
})

t.test('a row that is wrong is refused by itself, with all that is wrong with it', async (t) => {
  const rows = [
    { username: 'bob' },
    { username: 'eve', email: 'nowhere', password_hash: 'md5$x$y' },
    { usename: 'x', email: 5 },
    {},
    { username: 'late', created_at: NOW + 1 },
    { username: 'x', legacy_user_id: '' },
    { username: 'pic', profile: { picture: 'javascript:alert(1)' } },
    { username: 'carol' },
  ]
  const results = await bring(rows)
  const refused = 'refused'
  t.same(
    results.map(({ outcome }) => outcome),
    ['created', refused, refused, refused, refused, refused, refused, 'created'],
  )
  const fields = results.map(({ errors = [] }) => errors.map(({ field }) => field).sort())
  t.same(fields[1], ['email', 'password_hash'])
  t.same(fields[2], ['email', 'usename', 'username'])
  t.same(fields.slice(3, 7), [['username'], ['created_at'], ['legacy_user_id'], ['profile/picture']])
})

t.test('names are folded, and belong to one account, within a file as well', async (t) => {
  const rows = [
    { username: 'Dora', legacy_user_id: '20' },
    { username: 'ＤＯＲＡ', legacy_user_id: '20' },
    { username: 'dora', legacy_user_id: '21' },
    { username: 'dora@example.com', email: 'x@example.com' },
    { username: 'other', email: 'DORA@example.com' },
    { username: 'dora', email: 'x@example.com' },
    { username: 'Dora', legacy_user_id: '20' },
  ]
  const expected = ['created', 'conflict', 'conflict', 'created', 'conflict', 'conflict', 'unchanged']
  t.same(await outcomes(rows, { dry_run: true }), expected, 'a dry run says the same')
  t.equal((await call('GET', 'accounts/dora')).statusCode, 404, 'and does nothing')
  t.same(await outcomes(rows), expected)
  const several = await bring([{ username: 'dora', email: 'x@example.com' }], { on_conflict: 'update' })
  t.match(several, [{ outcome: 'conflict', errors: [{ message: /more than one/ }] }])
  const another = await bring([{ username: 'dora', legacy_user_id: '99' }], { on_conflict: 'update' })
  t.match(another, [{ outcome: 'conflict', errors: [{ field: 'legacy_user_id' }] }])
})

t.test('a password that was changed here since is newer than the file', async (t) => {
  await admin.createAccount({ username: 'erin' })
  t.same(await outcomes([{ username: 'erin', password_hash: HASH }], { on_conflict: 'update' }), ['unchanged'])
  await t.resolves(admin.signIn('erin'))
  const later = HASH.replace('FtichNAr9', 'FtichNAr8')
  t.same(await outcomes([{ ...alice, password_hash: later }], { on_conflict: 'update' }), ['updated'])
  t.equal((await deps.store.findAccountByIdentifier('alice'))?.password_hash, later)
})

t.test('disabling by import ends what the account had', async (t) => {
  await admin.createAccount({ username: 'frank' })
  const { refresh } = await admin.signIn('frank')
  t.same(await outcomes([{ username: 'frank', disabled: true }], { on_conflict: 'update' }), ['updated'])
  t.equal((await admin.postJson('/api/token/refresh/', { refresh })).statusCode, 401)
})

t.test('the same file from two sides at once: each account is made once', async (t) => {
  const rows = Array.from({ length: 50 }, (_, index) => ({ username: `racer${index}`, legacy_user_id: `r${index}` }))
  const both = await Promise.all([outcomes(rows), outcomes(rows.toReversed())])
  t.equal(both.flat().filter((outcome) => outcome === 'created').length, 50)
  t.equal(both.flat().filter((outcome) => outcome === 'unchanged').length, 50)
})

t.test('nobody grants what they lack, nor takes over who has it', async (t) => {
  await admin.createClient({ client_id: 'writer', client_secret: 'long secret', scope: 'gatehouse:write' })
  const form = { grant_type: 'client_credentials', resource: `${admin.issuer}/admin/api` }
  const { access_token: token } = (await admin.postForm('/token', form, basic('writer', 'long secret'))).json()
  await admin.createAccount({ username: 'root', roles: ['admin'] })
  const accounts = [
    { username: 'mallory', roles: ['admin'] },
    { username: 'root', email: 'm@example.com' },
    { username: 'ok' },
  ]
  const answer = await call(
    'POST',
    'accounts/import',
    { accounts, on_conflict: 'update', allow_admins: true },
    { token },
  )
  t.same(
    answer.json().results.map(({ outcome }: Result) => outcome),
    ['refused', 'refused', 'created'],
  )
  t.equal((await call('POST', 'accounts/export', {}, { token })).statusCode, 403, 'nor reads password hashes')
})

t.test('who was called admin elsewhere is none here, unless that is meant', async (t) => {
  const [boss] = await bring([{ username: 'boss', roles: ['admin'] }])
  t.match(boss, { outcome: 'refused', errors: [{ field: 'roles' }] })
  t.same(await outcomes([{ username: 'boss', roles: ['admin'] }], { allow_admins: true }), ['created'])
})

t.test('a request holds 1 to 500 rows, and more than elsewhere of bytes', async (t) => {
  t.same(await complaints('POST', 'accounts/import', { accounts: [] }), ['accounts'])
  const many = Array.from({ length: 501 }, (_, index) => ({ username: `u${index}` }))
  t.same(await complaints('POST', 'accounts/import', { accounts: many }), ['accounts'])
  t.same(await complaints('POST', 'accounts/import', { accounts: [{}], on_conflict: 'guess' }), ['on_conflict'])
  const wide = many.slice(0, 500).map((row) => ({ ...row, name: 'n'.repeat(200), password_hash: HASH }))
  t.equal(new Set(await outcomes(wide)).size, 1)
})

t.test('beside the database, accounts are exported with their hashes, and it is recorded', async (t) => {
  const { items, next_cursor } = (await call('POST', 'accounts/export', { limit: 2 })).json()
  t.equal(items.length, 2)
  t.ok(next_cursor)
  t.match(items[0], { username: 'alice', password_hash: /^pbkdf2_sha256/ }, 'the oldest first')
  t.same(await auditedEvents(admin, 1), ['admin.accounts_exported cli'])
})

t.test('an imported password is right at the first sign-in, which makes a hash of our own of it', async (t) => {
  const password = 'correct horse battery staple ü'
  t.same(await outcomes([{ username: 'gina', password_hash: HASH }]), ['created'])
  const signIn = (secret: string) => admin.postJson('/api/token/', { username: 'gina', password: secret })
  t.equal((await signIn(PASSWORD)).statusCode, 401)
  t.equal((await signIn(password)).statusCode, 200)
  t.match((await deps.store.findAccountByIdentifier('gina'))?.password_hash, /^\$argon2id\$/)
  t.equal((await signIn(password)).statusCode, 200)
})
