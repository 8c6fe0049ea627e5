import { createHmac } from 'node:crypto'
import t from 'tap'
import { accountThrottleKey, clientAuthLimit, signInLimits } from '../../server/protocol/throttle.ts'

const digest = (label: string, value: string) =>
  createHmac('sha256', 'key').update(`${label}\0${value}`).digest('base64url')
const policy = {
  account_attempts_per_minute: 5,
  address_attempts_per_minute: 20,
  client_failures_per_minute: 20,
  lock_base_seconds: 60,
  lock_max_seconds: 900,
  max_consecutive_failures: 100,
}
const keys = (identifier: string, address_prefix: string) =>
  signInLimits({ identifier, address_prefix }, policy, digest).map(({ key }) => key)

t.test(
  'NIST SP 800-63B-4 §3.2.2: a sign-in is limited by address, by account, and by both, the general first',
  async (t) => {
    const [by_address, by_account, by_both, ...rest] = signInLimits(
      { identifier: 'alice', address_prefix: '203.0.113.7' },
      policy,
      digest,
    )
    t.match(by_address, { limit: 20, window_seconds: 60, lock_base_seconds: 0, max_consecutive: null })
    t.match(by_account, { limit: Number.MAX_SAFE_INTEGER, lock_base_seconds: 0, max_consecutive: 100 })
    t.match(by_both, {
      limit: 5,
      window_seconds: 60,
      lock_base_seconds: 60,
      lock_max_seconds: 900,
      max_consecutive: null,
    })
    t.strictSame(rest, [])
  },
)

t.test('a lock must not keep the owner out: another address has a counter of its own', async (t) => {
  const here = keys('alice', '203.0.113.7')
  const there = keys('alice', '198.51.100.1')
  t.not(here[0], there[0])
  t.equal(here[1], there[1], 'failures in a row are counted wherever they come from')
  t.not(here[2], there[2])
})

t.test('the limit of an address is over all accounts', async (t) => {
  const alice = keys('alice', '203.0.113.7')
  const bob = keys('bob', '203.0.113.7')
  t.equal(alice[0], bob[0])
  t.not(alice[1], bob[1])
  t.not(alice[2], bob[2])
})

t.test(
  'every key is a digest: of one size, under a label of its own, and no identifier poses as another key',
  async (t) => {
    const all = [
      ...keys('alice', '203.0.113.7'),
      ...keys('203.0.113.7', 'alice'),
      ...keys('a'.repeat(100_000), '::/64'),
    ]
    t.equal(new Set(all).size, 9)
    for (const key of all) t.match(key, /^[\w-]{43}$/)
    t.equal(accountThrottleKey('alice', digest), keys('alice', '203.0.113.7')[1], 'what a reset forgets')
  },
)

t.test('RFC 6749 §2.3.1: failed authentications of a client are limited, client by client', async (t) => {
  const key = (client_id: string, address_prefix: string) =>
    clientAuthLimit({ client_id, address_prefix }, policy, digest).key
  const limit = clientAuthLimit({ client_id: 'service', address_prefix: '203.0.113.7' }, policy, digest)
  t.match(limit, { limit: 20, window_seconds: 60, lock_base_seconds: 0, max_consecutive: null })
  t.not(key('other', '203.0.113.7'), limit.key)
  t.not(key('service', '203.0.113.8'), limit.key, 'a stranger elsewhere does not lock the client out')
  t.notOk(keys('service', '203.0.113.7').includes(limit.key), 'a client is not an account of the same name')
})
