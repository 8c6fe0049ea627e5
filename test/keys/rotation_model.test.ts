import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { activeKey, keyState, publishedKeys } from '../../keys/keyring.ts'
import { dueChanges, type KeyringChange, missingKeys, planRotation, type RotationPolicy } from '../../keys/rotation.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../server/protocol/resource.ts'
import type { Seconds } from '../../server/protocol/time.ts'
import type { SigningKeyRecord } from '../../server/storage/records.ts'
import { record } from '../helpers/signing_key_record.ts'

/** How late another node may learn of a rotation. */
const LONGEST_LAG_SECONDS = 300

/** Also a rotation so quick that it has to wait for the publication. */
const policies = fc.constantFrom<RotationPolicy[]>(
  { rotation_seconds: 900, publish_ahead_seconds: 300, longest_token_seconds: 200, wait_for_fetchers_seconds: 0 },
  { rotation_seconds: 100, publish_ahead_seconds: 300, longest_token_seconds: 200, wait_for_fetchers_seconds: 0 },
)

/** A keyring with its history: every JWK Set that it served, and the tokens that it signed. */
interface World {
  readonly policy: RotationPolicy
  now: Seconds
  keys: SigningKeyRecord[]
  served: { readonly kids: ReadonlySet<string>; until: Seconds }[]
  tokens: { readonly kid: string; readonly expires_at: Seconds }[]
  /** Put to use before each verifier could know them: an algorithm's first keys, and what somebody forced. */
  hurried: Set<string>
}

type Action =
  | { do: 'wait'; seconds: Seconds }
  | { do: 'schedule' }
  | { do: 'ensure'; alg: SigningAlgorithm }
  | { do: 'rotate'; alg: SigningAlgorithm; force: boolean }
  | { do: 'sign'; alg: SigningAlgorithm }
  | { do: 'sign_late'; lag_seconds: Seconds }

const alg = fc.constantFrom(...SIGNING_ALGORITHMS)
const rarely = fc.integer({ min: 0, max: 7 }).map((number) => number === 0)
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 500 }) }) },
  { weight: 6, arbitrary: fc.constant({ do: 'schedule' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ensure' as const), alg }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('rotate' as const), alg, force: rarely }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sign' as const), alg }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('sign_late' as const),
      lag_seconds: fc.integer({ min: 0, max: LONGEST_LAG_SECONDS }),
    }),
  },
)

function apply(world: World, change: KeyringChange): void {
  const { now } = world
  const make = (alg: SigningAlgorithm, activated_at: Seconds | null) =>
    record(`${alg}-${world.keys.length}`, { alg, created_at: now, activated_at })
  const update = (kid: string | null, members: Partial<SigningKeyRecord>) => {
    world.keys = world.keys.map((key) => (key.kid === kid ? { ...key, ...members } : key))
  }
  if (change.change === 'remove') {
    update(change.kid, { removed_at: now })
    return
  }
  if (change.change === 'activate') {
    update(change.retire, { retired_at: now })
    update(change.kid, { activated_at: now })
  }
  if (change.change === 'found') {
    const first = make(change.alg, now)
    world.keys = [...world.keys, first]
    world.hurried.add(first.kid)
  }
  world.keys = [...world.keys, make(change.alg, null)]
}

function serve(world: World): void {
  const last = world.served.at(-1)
  if (last !== undefined) last.until = world.now
  const kids = new Set(publishedKeys(world.keys).map(({ kid }) => kid))
  world.served.push({ kids, until: Number.POSITIVE_INFINITY })
}

function take(world: World, action: Action): void {
  switch (action.do) {
    case 'wait':
      world.now += action.seconds
      break
    case 'schedule': {
      const inUse = SIGNING_ALGORITHMS.filter((alg) => activeKey(world.keys, alg) !== undefined)
      for (const change of dueChanges(world.keys, world.now, world.policy, inUse)) apply(world, change)
      break
    }
    case 'ensure': {
      const change = missingKeys(world.keys, action.alg)
      if (change !== undefined) apply(world, change)
      break
    }
    case 'rotate': {
      const plan = planRotation(world.keys, world.now, world.policy, action.alg, action)
      if (plan.outcome !== 'activate') break
      apply(world, { change: 'activate', alg: action.alg, kid: plan.kid, retire: plan.retire })
      if (action.force) world.hurried.add(plan.kid)
      break
    }
    case 'sign':
      sign(world, activeKey(world.keys, action.alg))
      break
    case 'sign_late':
      sign(
        world,
        world.keys.find(
          (key) =>
            keyState(key) === 'retiring' && key.retired_at !== null && key.retired_at + action.lag_seconds >= world.now,
        ),
      )
      break
  }
}

function sign(world: World, key: SigningKeyRecord | undefined): void {
  if (key === undefined) return
  world.tokens.push({ kid: key.kid, expires_at: world.now + world.policy.longest_token_seconds })
  if (world.hurried.has(key.kid)) return
  for (const { kids, until } of world.served) {
    const may_be_held = until > world.now - world.policy.publish_ahead_seconds
    assert.ok(!may_be_held || kids.has(key.kid), `${key.kid} signs before every verifier can know it`)
  }
}

function check(world: World): void {
  const inUse = new Set(world.keys.map(({ alg }) => alg))
  for (const alg of inUse) {
    const states = world.keys.filter((key) => key.alg === alg).map(keyState)
    assert.equal(states.filter((state) => state === 'active').length, 1, `exactly one active ${alg} key`)
    assert.equal(states.filter((state) => state === 'next').length, 1, `exactly one next ${alg} key`)
  }
  const published = new Set(publishedKeys(world.keys).map(({ kid }) => kid))
  for (const { kid, expires_at } of world.tokens) {
    if (expires_at <= world.now || published.has(kid)) continue
    const key = world.keys.find((key) => key.kid === kid)
    assert.ok(key?.removed_at === key?.retired_at, `a live token of ${kid} no longer verifies`)
  }
}

t.test(
  'OIDC Core §10.1.1: through any history, keys are known before they sign and stay while their tokens live',
  async (t) => {
    const seen = { removed: 0, rotated: 0 }
    fc.assert(
      fc.property(policies, fc.array(action, { minLength: 20, maxLength: 80 }), (policy, actions) => {
        const world: World = { policy, now: 0, keys: [], served: [], tokens: [], hurried: new Set() }
        for (const change of dueChanges(world.keys, world.now, world.policy, ['RS256'])) apply(world, change)
        serve(world)
        world.now += 1
        for (const action of actions) {
          take(world, action)
          serve(world)
          check(world)
        }
        seen.removed += world.keys.filter((key) => keyState(key) === 'removed').length
        seen.rotated += world.keys.filter((key) => keyState(key) === 'retiring').length
      }),
      { numRuns: 300 },
    )
    t.ok(seen.removed > 100 && seen.rotated > 100, `the histories are worth something: ${JSON.stringify(seen)}`)
  },
)
