import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type NewAccount, newAccount } from '../../server/accounts/account.ts'
import { createPasswordHasher } from '../../server/accounts/password.ts'

const PASSWORD = 'plenty of small green apples'
const random = { bytes: (length: number) => randomBytes(length) }
const cost = { memory_kib: 64, time_cost: 1, parallelism: 1 }
const line = { concurrency: 1, queue_length: 8 }
const passwords = await createPasswordHasher({ ...cost, ...line, random })
const deps = {
  passwords,
  random,
  clock: { now: () => 1_800_000_000 },
  config: { passwords: { ...cost, min_length: 15, hash_concurrency: 1, hash_queue: 8 } },
}

async function accepted(t: Test, wanted: NewAccount) {
  const made = await newAccount(deps, wanted)
  if ('account' in made) return made.account
  t.fail('refused', { problems: made.problems, wanted })
  throw new Error('refused')
}

async function refusedFields(wanted: NewAccount) {
  const made = await newAccount(deps, wanted)
  return 'account' in made ? [] : made.problems.map(({ field }) => field)
}

t.test('a full account', async (t) => {
  const wanted = {
    username: ' Alice ',
    email: ' Alice@example.com ',
    email_verified: true,
    name: ' Alice Liddell ',
    roles: ['admin', 'admin'],
    password: PASSWORD,
  }
  const account = await accepted(t, wanted)
  t.strictSame(account.roles, ['admin'], 'each role once')
  t.match(account, {
    account_id: /^[\w-]{22}$/,
    username: 'Alice',
    email: 'Alice@example.com',
    email_verified_at: 1_800_000_000,
    name: 'Alice Liddell',
    disabled_at: null,
    created_at: 1_800_000_000,
    updated_at: 1_800_000_000,
  })
  t.strictSame(await passwords.verify(account.password_hash, PASSWORD), { valid: true, rehash: false })
  t.not((await accepted(t, wanted)).account_id, account.account_id)
})

t.test('an account needs no more than a name', async (t) => {
  const account = await accepted(t, { username: 'a' })
  t.match(account, { email: null, email_verified_at: null, name: null, roles: [], password_hash: null })
  t.match(await accepted(t, { username: 'a', email: '', name: ' ' }), { email: null, name: null })
})

t.test('a user name is 1 to 150 characters of valid text that a person can see', async (t) => {
  for (const username of ['a', '正男', 'a b', 'alice@example.com', 'x'.repeat(150), '🦊'.repeat(150)])
    await accepted(t, { username })
  for (const username of ['', '  ', 'x'.repeat(151), 'a\0b', 'a\nb', 'a\u0085b', 'a\ud800', '\u200b', '\u00ad\u200d']) {
    t.strictSame(await refusedFields({ username }), ['username'], JSON.stringify(username))
  }
})

t.test('RFC 5321 §4.5.3.1.3: an e-mail address has one @, no space and at most 254 characters', async (t) => {
  for (const email of ['a@b', 'a+b@example.com', 'jörg@bücher.example', `${'a'.repeat(242)}@example.com`]) {
    await accepted(t, { username: 'a', email })
  }
  for (const email of ['a', '@b', 'a@', 'a@b@c', 'a b@c', 'a@b\0', `${'a'.repeat(243)}@example.com`, 'a\ud800@b']) {
    t.strictSame(await refusedFields({ username: 'a', email }), ['email'], JSON.stringify(email))
  }
  t.strictSame(await refusedFields({ username: 'a', email_verified: true }), ['email_verified'], 'nothing to verify')
  t.equal((await accepted(t, { username: 'a', email: 'a@b' })).email_verified_at, null, 'nor verified unasked')
})

t.test('names and roles are short texts', async (t) => {
  await accepted(t, { username: 'a', name: 'n'.repeat(200), roles: ['Content editors', 'x'.repeat(64)] })
  t.strictSame(await refusedFields({ username: 'a', name: 'n'.repeat(201) }), ['name'])
  t.strictSame(await refusedFields({ username: 'a', name: 'a\rb' }), ['name'])
  for (const role of ['', ' admin', 'x'.repeat(65), 'a\0'])
    t.strictSame(await refusedFields({ username: 'a', roles: [role] }), ['roles'], JSON.stringify(role))
  t.strictSame(await refusedFields({ username: 'a', roles: Array.from({ length: 33 }, (_, i) => `r${i}`) }), ['roles'])
})

t.test('NIST SP 800-63B-4 §3.1.1.2: the password rules hold, with the owner’s names in mind', async (t) => {
  t.strictSame(await refusedFields({ username: 'a', password: 'short' }), ['password'])
  t.strictSame(await refusedFields({ username: 'green', password: PASSWORD }), ['password'])
  t.strictSame(await refusedFields({ username: 'a', email: 'apples@example.com', password: PASSWORD }), ['password'])
  t.strictSame(await refusedFields({ username: 'a', password: '' }), ['password'])
  await accepted(t, { username: 'a', password: PASSWORD })
})

t.test('a hash made elsewhere is taken as it is, when it is of a known form and within bounds', async (t) => {
  const password_hash = await argon2.hash('short', { memoryCost: 128, timeCost: 1, parallelism: 2 })
  const account = await accepted(t, { username: 'a', password_hash })
  t.equal(account.password_hash, password_hash)
  for (const unknown of ['', 'password', '$1$abc$def', password_hash.replace('m=128', 'm=999999')]) {
    t.strictSame(await refusedFields({ username: 'a', password_hash: unknown }), ['password_hash'], unknown)
  }
  t.strictSame(await refusedFields({ username: 'a', password: PASSWORD, password_hash }), ['password_hash'], 'not both')
})

t.test('all that is wrong is said at once, and nothing is hashed', async (t) => {
  const hashed = t.capture(argon2, 'hash', argon2.hash)
  const fields = await refusedFields({ username: '', email: 'x', name: '\0', roles: [''], password: PASSWORD })
  t.strictSame(fields, ['username', 'email', 'name', 'roles'])
  t.strictSame(hashed(), [])
})

t.test('whatever is asked, the answer is an account or sentences', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const wanted = fc.record(
    { username: text, email: text, name: text, roles: fc.array(text), password: text, password_hash: text },
    { requiredKeys: ['username'] },
  )
  await fc.assert(
    fc.asyncProperty(wanted, async (wanted) => {
      const made = await newAccount(deps, wanted)
      return 'account' in made || made.problems.every(({ message }) => message.endsWith('.'))
    }),
    { numRuns: 40 },
  )
})
