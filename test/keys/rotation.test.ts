import t from 'tap'
import {
  dueChanges,
  missingKeys,
  planRotation,
  REMOVAL_LEEWAY_SECONDS,
  type RotationPolicy,
  waitingFor,
} from '../../keys/rotation.ts'
import type { KeyFetcher } from '../../server/storage/records.ts'
import { record } from '../helpers/signing_key_record.ts'

const DAY = 86_400
const policy: RotationPolicy = {
  rotation_seconds: 90 * DAY,
  publish_ahead_seconds: DAY,
  wait_for_fetchers_seconds: 2 * DAY,
  longest_token_seconds: 3_600,
}
const calmly = { force: false }

t.test('a keyring without keys gets an active and a next one together', async (t) => {
  t.same(dueChanges([], 0, policy, ['RS256']), [{ change: 'found', alg: 'RS256' }])
  t.same(dueChanges([], 0, policy, []), [], 'only for the algorithms in use')
})

t.test('each algorithm in use has a next key', async (t) => {
  const keys = [record('a', { activated_at: 0 })]
  t.same(dueChanges(keys, 0, policy, ['RS256', 'ES256']), [
    { change: 'add_next', alg: 'RS256' },
    { change: 'found', alg: 'ES256' },
  ])
})

t.test('without an active key the published next one signs', async (t) => {
  const keys = [record('old', { activated_at: 0, retired_at: 5, removed_at: 5 }), record('n', { created_at: 5 })]
  t.same(missingKeys(keys, 'RS256'), { change: 'activate', alg: 'RS256', kid: 'n', retire: null })
})

t.test('an active key is replaced when it is older than rotation_seconds', async (t) => {
  const keys = [record('a', { activated_at: 100 }), record('n', { created_at: 100 })]
  const due = 100 + policy.rotation_seconds
  t.same(dueChanges(keys, due - 1, policy, ['RS256']), [])
  t.same(dueChanges(keys, due, policy, ['RS256']), [{ change: 'activate', alg: 'RS256', kid: 'n', retire: 'a' }])
})

t.test('OIDC Core §10.1.1: the next key is published for publish_ahead_seconds before first use', async (t) => {
  const late = 200 * DAY
  const keys = [record('a', { activated_at: 0 }), record('n', { created_at: late })]
  t.same(dueChanges(keys, late + DAY - 1, policy, ['RS256']), [])
  t.equal(dueChanges(keys, late + DAY, policy, ['RS256']).length, 1)
  t.same(planRotation(keys, late + DAY - 1, policy, 'RS256', calmly), { outcome: 'too_early', ready_at: late + DAY })
  t.same(planRotation(keys, late + DAY, policy, 'RS256', calmly), { outcome: 'activate', kid: 'n', retire: 'a' })
})

t.test('a next key as old as the keyring may be activated at once: every JWK Set had it', async (t) => {
  const founding = [record('a', { created_at: 7, activated_at: 7 }), record('n', { created_at: 7 })]
  t.same(planRotation(founding, 7, policy, 'RS256', calmly), { outcome: 'activate', kid: 'n', retire: 'a' })

  const rotated = [
    record('a', { created_at: 7, activated_at: 7, retired_at: 7 }),
    record('n', { created_at: 7, activated_at: 7 }),
    record('m', { created_at: 7 }),
  ]
  t.equal(planRotation(rotated, 7, policy, 'RS256', calmly).outcome, 'too_early', 'not the one after it')

  const es256 = [
    ...founding,
    record('ea', { alg: 'ES256', created_at: 9, activated_at: 9 }),
    record('en', { alg: 'ES256', created_at: 9 }),
  ]
  t.equal(planRotation(es256, 9, policy, 'ES256', calmly).outcome, 'too_early', 'nor that of a later algorithm')
  t.equal(planRotation(es256, 9, policy, 'RS256', calmly).outcome, 'activate')
})

t.test('force does not wait', async (t) => {
  const keys = [record('a', { activated_at: 0 }), record('n', { created_at: 50 })]
  const activate = { outcome: 'activate', kid: 'n', retire: 'a' }
  t.same(planRotation(keys, 50, policy, 'RS256', { force: true }), activate)
  t.same(planRotation(keys, 50, policy, 'ES256', { force: true }), { outcome: 'no_next_key' })
})

t.test('OIDC Core §10.1.1: the old key stays for the longest token it signed', async (t) => {
  const keys = [
    record('old', { activated_at: 0, retired_at: 1_000 }),
    record('a', { activated_at: 1_000 }),
    record('n', { created_at: 1_000 }),
    record('gone', { activated_at: 0, retired_at: 0, removed_at: 1 }),
  ]
  const unused_at = 1_000 + policy.longest_token_seconds + REMOVAL_LEEWAY_SECONDS
  t.same(dueChanges(keys, unused_at - 1, policy, ['RS256']), [])
  t.same(dueChanges(keys, unused_at, policy, ['RS256']), [{ change: 'remove', alg: 'RS256', kid: 'old' }])
})

t.test(
  'a rotation that is due waits for registered resources that have not fetched the next key, within a limit',
  async (t) => {
    const keys = [record('a', { activated_at: 0 }), record('n', { created_at: 10 * DAY })]
    const fetcher = (kids: string[]): KeyFetcher => ({
      resource: 'https://api.example.com',
      address_prefix: '192.0.2.1',
      agent: 'node',
      kids,
      first_fetched_at: 0,
      fetched_at: 0,
      signing_alg: 'RS256',
    })
    const [unaware, aware] = [fetcher(['a']), fetcher(['a', 'n'])]
    const due = policy.rotation_seconds
    const until = due + policy.wait_for_fetchers_seconds
    const activate = { change: 'activate', alg: 'RS256', kid: 'n', retire: 'a' }
    const changes = (now: number, fetchers: KeyFetcher[], wait = policy) =>
      dueChanges(keys, now, wait, ['RS256'], fetchers)
    t.same(changes(due, [aware]), [activate], 'not for one that has')
    t.same(changes(due, [aware, unaware]), [])
    t.same(changes(until - 1, [unaware]), [])
    t.same(changes(until, [unaware]), [activate], 'one that never fetches stops nothing')
    t.same(changes(due, [unaware], { ...policy, wait_for_fetchers_seconds: 0 }), [activate], 'unless it is not to wait')

    const waiting = { alg: 'RS256', kid: 'n', due: false, until, fetchers: [unaware] }
    const plan = (now: number, force: boolean) => planRotation(keys, now, policy, 'RS256', { force }, [unaware, aware])
    t.same(plan(11 * DAY, false), { outcome: 'waiting', ...waiting }, 'before it is due, for the same ones')
    t.match(plan(10 * DAY, false), { outcome: 'too_early', ready_at: 11 * DAY })
    t.same(plan(11 * DAY, true), { outcome: 'activate', kid: 'n', retire: 'a' }, 'force does not')
    t.same(plan(until, false).outcome, 'activate')
    t.match(waitingFor(keys, due, policy, 'RS256', [unaware]), { due: true })
    t.equal(waitingFor(keys, due, policy, 'ES256', [unaware]), undefined)
  },
)
