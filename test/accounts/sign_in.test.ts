import { createHmac, randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import t, { type Test } from 'tap'
import { newAccount } from '../../server/accounts/account.ts'
import { createPasswordHasher } from '../../server/accounts/password.ts'
import { signIn } from '../../server/accounts/sign_in.ts'
import { openStore } from '../../server/storage/open.ts'

const PASSWORD = 'plenty of small green apples'
const CALLER = { address_prefix: '203.0.113.7', user_agent: null, request_id: 'r1' }
const random = { bytes: (length: number) => randomBytes(length) }
const digest = (label: string, value: string) =>
  createHmac('sha256', 'key').update(`${label}\0${value}`).digest('base64url')
const cost = { memory_kib: 64, time_cost: 1, parallelism: 1 }
const throttle = {
  account_attempts_per_minute: 5,
  address_attempts_per_minute: 20,
  client_failures_per_minute: 20,
  strangers_per_minute: 1000,
  lock_base_seconds: 60,
  lock_max_seconds: 900,
  max_consecutive_failures: 12,
}

/** A store in memory with Alice in it. */
async function town(t: Test, line = { concurrency: 2, queue_length: 64 }) {
  const clock = { at: 1_800_000_000, now: () => clock.at }
  const store = await openStore({ database: 'sqlite::memory:' }, clock)
  t.teardown(() => store.close())
  const passwords = await createPasswordHasher({ ...cost, ...line, random })
  const config = { throttle, passwords: { ...cost, min_length: 15, hash_concurrency: 1, hash_queue: 8 } }
  const deps = { store, passwords, clock, random, vault: { digest }, config }

  async function settle(username: string, more: { password?: string; password_hash?: string; email?: string }) {
    const made = await newAccount(deps, { username, ...more })
    if (!('account' in made)) throw new Error(JSON.stringify(made.problems))
    await store.createAccount(made.account, [])
    return made.account
  }
  const alice = await settle('Alice', { password: PASSWORD, email: 'Liddell@example.com' })
  const attempt = (identifier: string, password: string, address_prefix = CALLER.address_prefix) =>
    signIn(deps, { identifier, password }, { ...CALLER, address_prefix })
  const audit = async () => {
    const { items } = await store.listAudit({}, { limit: 100, cursor: null })
    return items
      .toReversed()
      .map(({ event, account_id, detail }) => [event, account_id, detail && JSON.parse(detail).reason])
  }
  return { ...deps, settle, alice, attempt, audit }
}

t.test('name or e-mail address and password sign in, however they are written', async (t) => {
  const { attempt, alice, audit } = await town(t)
  for (const identifier of ['Alice', 'ALICE', ' ａｌｉｃｅ', 'liddell@EXAMPLE.com']) {
    t.match(
      await attempt(identifier, PASSWORD),
      { outcome: 'signed_in', account: { account_id: alice.account_id } },
      identifier,
    )
  }
  t.strictSame(await audit(), [], 'the success is audited with the grant')
})

t.test(
  'unknown, wrong, without a password, disabled: one answer, one run of argon2, and the audit trail knows',
  async (t) => {
    const { attempt, audit, alice, settle, store, clock } = await town(t)
    const bob = await settle('bob', {})
    const carol = await settle('carol', { password: PASSWORD })
    await store.disableAccount(carol.account_id, clock.now(), [])
    const runs = t.capture(argon2, 'verify', argon2.verify)
    const cases: [string, string][] = [
      ['nobody', PASSWORD],
      ['alice', 'wrong'],
      ['alice', ''],
      ['alice', '\ud800'],
      ['bob', PASSWORD],
      ['carol', PASSWORD],
      ['carol', 'wrong'],
      ['', PASSWORD],
      ['a\0', PASSWORD],
      ['\udc00', PASSWORD],
    ]
    for (const [identifier, password] of cases) {
      t.strictSame(await attempt(identifier, password), { outcome: 'refused' }, JSON.stringify(identifier))
      t.equal(runs().length, 1, JSON.stringify(identifier))
    }
    t.strictSame(await audit(), [
      ['sign_in.refused', null, 'unknown'],
      ['sign_in.refused', alice.account_id, 'wrong_password'],
      ['sign_in.refused', alice.account_id, 'wrong_password'],
      ['sign_in.refused', alice.account_id, 'wrong_password'],
      ['sign_in.refused', bob.account_id, 'no_password'],
      ['sign_in.refused', carol.account_id, 'disabled'],
      ['sign_in.refused', carol.account_id, 'wrong_password'],
      ['sign_in.refused', null, 'unknown'],
      ['sign_in.refused', null, 'unknown'],
      ['sign_in.refused', null, 'unknown'],
    ])
  },
)

t.test('a password typed as a user name is written nowhere', async (t) => {
  const { attempt, store } = await town(t)
  await attempt(PASSWORD, PASSWORD)
  const { items } = await store.listAudit({}, { limit: 10, cursor: null })
  t.equal(items.length, 1)
  t.notMatch(JSON.stringify(items), PASSWORD)
})

t.test('NIST SP 800-63B-4 §3.2.2: five failures a minute, then locks of 1, 2, 4 … 15 minutes', async (t) => {
  const { attempt, audit, clock, alice, config, store } = await town(t)
  for (const seconds of [60, 120, 240, 480, 900, 900]) {
    for (let i = 0; i < 5; i++) t.match(await attempt('alice', 'wrong'), { outcome: 'refused' })
    t.strictSame(await attempt('alice', PASSWORD), { outcome: 'throttled', retry_after: seconds })
    t.strictSame(await attempt('alice', PASSWORD), { outcome: 'throttled', retry_after: seconds }, 'even the right one')
    clock.at += seconds - 1
    t.strictSame(await attempt('alice', PASSWORD), { outcome: 'throttled', retry_after: 1 })
    clock.at += 1
    // Failures in a row have a test of their own.
    await store.resetThrottle([digest('throttle:account', 'alice')])
  }
  t.match(await attempt('alice', PASSWORD), { outcome: 'signed_in' }, 'and then it is over')
  const locks = (await audit()).filter(([event]) => event === 'sign_in.locked')
  t.strictSame(locks, Array(6).fill(['sign_in.locked', alice.account_id, null]), 'each lock is audited once')
  t.equal((await audit()).length, 36, 'attempts under a lock are not')
  t.equal(config.throttle.lock_max_seconds, 900)
})

t.test('a lock does not keep the owner out: elsewhere the right password signs in', async (t) => {
  const { attempt } = await town(t)
  for (let i = 0; i < 6; i++) await attempt('alice', 'wrong')
  t.match(await attempt('alice', PASSWORD), { outcome: 'throttled' })
  t.match(await attempt('alice', PASSWORD, '198.51.100.1'), { outcome: 'signed_in' })
})

t.test('nobody’s name is locked like anybody’s', async (t) => {
  const { attempt, audit } = await town(t)
  for (let i = 0; i < 5; i++) t.strictSame(await attempt('nobody', 'wrong'), { outcome: 'refused' })
  t.strictSame(await attempt('nobody', 'wrong'), { outcome: 'throttled', retry_after: 60 })
  t.strictSame((await audit()).at(-1), ['sign_in.locked', null, null])
})

t.test('twenty failures a minute from one address, over all names', async (t) => {
  const { attempt, clock } = await town(t)
  for (let i = 0; i < 20; i++) t.match(await attempt(`nobody${i}`, 'wrong'), { outcome: 'refused' })
  t.strictSame(await attempt('alice', PASSWORD), { outcome: 'throttled', retry_after: 60 })
  t.match(await attempt('alice', PASSWORD, '198.51.100.1'), { outcome: 'signed_in' })
  clock.at += 60
  t.match(await attempt('alice', PASSWORD), { outcome: 'signed_in' })
})

t.test('so many failures in a row, from wherever, and only a reset helps', async (t) => {
  const { attempt, clock, store } = await town(t)
  for (let i = 0; i < throttle.max_consecutive_failures; i++) {
    t.match(await attempt('alice', 'wrong', `198.51.100.${i}`), { outcome: 'refused' })
    clock.at += 3600
  }
  clock.at += 30 * 86_400
  await store.sweep(clock.now(), 100)
  t.strictSame(await attempt('alice', PASSWORD), { outcome: 'throttled', retry_after: 3600 })
  await store.resetThrottle([digest('throttle:account', 'alice')])
  t.match(await attempt('alice', PASSWORD), { outcome: 'signed_in' })
})

t.test('a success gives its attempt back and ends the row of failures', async (t) => {
  const { attempt, store } = await town(t)
  for (let i = 0; i < 30; i++) {
    if (i % 2 === 0) await attempt('alice', 'wrong', `198.51.100.${i}`)
    const signed_in = await attempt('alice', PASSWORD)
    if (signed_in.outcome !== 'signed_in') return t.fail(signed_in.outcome)
    await store.giveBackAttempt(signed_in.give_back)
  }
  t.match(await attempt('alice', PASSWORD), { outcome: 'signed_in' })
})

t.test('guesses made all at once are counted before any is checked', async (t) => {
  const { attempt } = await town(t)
  const runs = t.capture(argon2, 'verify', argon2.verify)
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => attempt('alice', 'wrong')))
  t.equal(outcomes.filter(({ outcome }) => outcome === 'refused').length, 5)
  t.equal(outcomes.filter(({ outcome }) => outcome === 'throttled').length, 35)
  t.equal(runs().length, 5)
})

t.test('when the hasher is full: busy, nothing is counted for it, and earlier failures still are', async (t) => {
  const { attempt, audit } = await town(t, { concurrency: 1, queue_length: 0 })
  for (let i = 0; i < 4; i++) await attempt('alice', 'wrong')
  for (let i = 0; i < 5; i++) {
    const others = ['198.51.100.1', '198.51.100.2', '198.51.100.3', CALLER.address_prefix]
    const crowd = await Promise.all(others.map((address) => attempt('nobody', 'wrong', address)))
    const busy = crowd.filter(({ outcome }) => outcome === 'busy')
    t.equal(busy.length, 3)
    for (const answer of busy) t.ok('retry_after' in answer && answer.retry_after >= 1)
  }
  const [first, second] = await Promise.all([attempt('bob', 'wrong'), attempt('alice', PASSWORD)])
  t.strictSame([first.outcome, second.outcome], ['refused', 'busy'], 'alice’s fifth attempt was not made')
  t.match(await attempt('alice', 'wrong'), { outcome: 'refused' })
  t.match(await attempt('alice', PASSWORD), { outcome: 'throttled' }, 'four and one are five')
  t.equal(
    (await audit()).filter(([event]) => event === 'sign_in.refused').length,
    4 + 5 + 1 + 1,
    'busy is not a failure',
  )
})

t.test('busy does not end a row of failures', async (t) => {
  const { attempt } = await town(t, { concurrency: 1, queue_length: 0 })
  for (let i = 1; i < throttle.max_consecutive_failures; i++) await attempt('alice', 'wrong', `198.51.100.${i}`)
  const [, alice] = await Promise.all([attempt('bob', 'wrong'), attempt('alice', 'wrong')])
  t.match(alice, { outcome: 'busy' })
  t.match(await attempt('alice', 'wrong'), { outcome: 'refused' })
  t.match(await attempt('alice', PASSWORD), { outcome: 'throttled', retry_after: 3600 })
})

t.test('what a database would read as another text is nobody’s name', async (t) => {
  const { attempt, settle } = await town(t)
  await settle('\ufffd', { password: PASSWORD })
  t.match(await attempt('\ud800', PASSWORD), { outcome: 'refused' })
  t.match(await attempt('\ufffd', PASSWORD), { outcome: 'signed_in' })
})

t.test(
  'OWASP Password Storage: an older hash is replaced at sign-in, and only when the password is right',
  async (t) => {
    const { attempt, settle, store } = await town(t)
    const password_hash = await argon2.hash(PASSWORD, { memoryCost: 128, timeCost: 1, parallelism: 1 })
    const { account_id } = await settle('dave', { password_hash })
    const hashOf = async () => (await store.findAccount(account_id))?.password_hash
    await attempt('dave', 'wrong')
    t.equal(await hashOf(), password_hash)
    t.match(await attempt('dave', PASSWORD), { outcome: 'signed_in' })
    const replaced = await hashOf()
    t.match(replaced, /^\$argon2id\$v=19\$m=64,t=1,p=1\$/)
    t.match(await attempt('dave', PASSWORD), { outcome: 'signed_in' })
    t.equal(await hashOf(), replaced, 'once is enough')
  },
)

t.test('two sign-ins at once replace an older hash once, and both succeed', async (t) => {
  const { attempt, settle } = await town(t)
  await settle('erin', { password_hash: await argon2.hash(PASSWORD, { memoryCost: 128, timeCost: 1, parallelism: 1 }) })
  const both = await Promise.all([attempt('erin', PASSWORD), attempt('erin', PASSWORD)])
  t.strictSame(
    both.map(({ outcome }) => outcome),
    ['signed_in', 'signed_in'],
  )
  t.match(await attempt('erin', PASSWORD), { outcome: 'signed_in' })
})

t.test('where there is no room to replace an older hash, the sign-in succeeds all the same', async (t) => {
  const { settle, store, passwords, ...deps } = await town(t, { concurrency: 1, queue_length: 0 })
  const password_hash = await argon2.hash(PASSWORD, { memoryCost: 128, timeCost: 1, parallelism: 1 })
  const { account_id } = await settle('frank', { password_hash })
  const crowded = {
    ...passwords,
    async hash(password: string) {
      const [, hashed] = await Promise.all([passwords.verify(null, ''), passwords.hash(password)])
      return hashed
    },
  }
  const credentials = { identifier: 'frank', password: PASSWORD }
  t.match(await signIn({ ...deps, store, passwords: crowded }, credentials, CALLER), { outcome: 'signed_in' })
  t.equal((await store.findAccount(account_id))?.password_hash, password_hash)
})
