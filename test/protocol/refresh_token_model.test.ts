import fc from 'fast-check'
import t from 'tap'
import type { RefreshTokenProfile } from '../../server/protocol/client.ts'
import type { Grant } from '../../server/protocol/grant.ts'
import { decideRefresh, type RefreshPolicy } from '../../server/protocol/refresh_token.ts'
import { makeGrant } from '../helpers/grant.ts'

/**
 * Callers present tokens they hold at any time, decide on a row that may be stale, and swap as the store does. Whatever
 * the schedule, the invariants of a refresh token hold.
 */
const NOW = 1_800_000_000

interface World {
  grant: Grant
  readonly answered: { presented: number; successor: number; decided_on: Grant; now: number }[]
}

/** One presentation in two halves, so that others can come between the read and the swap. */
interface Presentation {
  readonly presented: number
  readonly read: Grant
  readonly now: number
}

function swap(world: World, policy: RefreshPolicy, bound: boolean, { presented, read, now }: Presentation): void {
  const decision = decideRefresh({ presented, grant: read, policy, bound, now })
  const { grant } = world
  const current = grant.generation === read.generation && grant.revoked_at === null
  const answer = (successor: number) => world.answered.push({ presented, successor, decided_on: read, now })
  switch (decision.outcome) {
    case 'refuse':
      return
    case 'revoke':
      world.grant = { ...grant, revoked_at: grant.revoked_at ?? now }
      return
    case 'rotate':
      if (!current) return
      world.grant = {
        ...grant,
        generation: grant.generation + 1,
        rotated_at: now,
        idle_expires_at: decision.idle_expires_at,
      }
      answer(grant.generation + 1)
      return
    case 'touch':
    case 'resend':
      if (current) answer(grant.generation)
      return
    case 'resend_late':
      if (!current || (grant.late_replay_generation ?? -1) >= presented) return
      world.grant = { ...grant, late_replay_generation: presented }
      answer(grant.generation)
  }
}

const policyOf = (profile: RefreshTokenProfile, window: number): RefreshPolicy => ({
  profile,
  reuse_window_seconds: profile === 'standard' || profile === 'resilient' ? window : 0,
  idle_seconds: 86_400,
  access_token_seconds: 300,
})

const action = fc.oneof(
  // How far back the presented generation is, and whether the caller reads now and swaps later.
  fc.record({ kind: fc.constant('present' as const), back: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant('read' as const), back: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant('finish' as const) }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.constantFrom(1, 10, 29, 30, 31, 100, 4000) }),
  fc.record({ kind: fc.constant('revoke' as const) }),
)

const schedule = fc.record({
  profile: fc.constantFrom<RefreshTokenProfile>('strict', 'standard', 'resilient', 'fixed'),
  window: fc.constantFrom(0, 30, 60),
  bound: fc.boolean(),
  actions: fc.array(action, { maxLength: 40 }),
})

t.test('whatever is presented when, and whoever races whom, the invariants hold', async (t) => {
  fc.assert(
    fc.property(schedule, ({ profile, window, bound, actions }) => {
      const policy = policyOf(profile, window)
      const world: World = { grant: makeGrant({ created_at: NOW }), answered: [] }
      const unfinished: Presentation[] = []
      let now = NOW
      for (const step of actions) {
        const present = (back: number) => ({
          presented: Math.max(0, world.grant.generation - back),
          read: world.grant,
          now,
        })
        const answered_before = world.answered.length
        const revoked_before = world.grant.revoked_at !== null
        if (step.kind === 'wait') now += step.seconds
        if (step.kind === 'revoke') world.grant = { ...world.grant, revoked_at: world.grant.revoked_at ?? now }
        // The gate before the decision refuses a grant that is read as revoked.
        if (step.kind === 'read' && !revoked_before) unfinished.push(present(step.back))
        if (step.kind === 'present' && !revoked_before) swap(world, policy, bound, present(step.back))
        const presentation = step.kind === 'finish' ? unfinished.shift() : undefined
        if (presentation !== undefined) swap(world, policy, bound, presentation)

        for (const answer of world.answered.slice(answered_before)) {
          const age = answer.now - answer.decided_on.rotated_at
          const behind = answer.decided_on.generation - answer.presented
          assert(!revoked_before, '3: nothing is answered after a revocation')
          assert(answer.successor === world.grant.generation, '1, 2: every answer is the one current generation')
          assert(behind <= 1, '4: what is older than the previous one is never answered')
          assert(
            behind === 0 || age < policy.reuse_window_seconds || profile === 'resilient',
            '4: late, only when resilient',
          )
          assert(profile !== 'fixed' || answer.successor === 0, 'fixed never moves')
        }
      }
    }),
    { numRuns: 3000 },
  )
  t.pass('3,000 schedules')
})

t.test('an honest client that retries within the window is never signed out', async (t) => {
  const retries = fc.array(fc.record({ lost: fc.boolean(), wait: fc.integer({ min: 0, max: 29 }) }), { maxLength: 30 })
  fc.assert(
    fc.property(
      fc.constantFrom<RefreshTokenProfile>('standard', 'resilient'),
      fc.boolean(),
      retries,
      (profile, bound, steps) => {
        const world: World = { grant: makeGrant({ created_at: NOW }), answered: [] }
        let held = 0
        let now = NOW
        let last_attempt = Number.NEGATIVE_INFINITY
        for (const { lost, wait } of steps) {
          // It retries what got no answer while the window of its first attempt lasts.
          now = Math.max(now, Math.min(now + wait, last_attempt + 29))
          swap(world, policyOf(profile, 30), bound, { presented: held, read: world.grant, now })
          const answer = world.answered.at(-1)
          if (world.grant.revoked_at !== null || answer?.now !== now) throw new Error('signed out')
          if (lost) {
            if (last_attempt < now - 29) last_attempt = now
            continue
          }
          held = answer.successor
          last_attempt = Number.NEGATIVE_INFINITY
          now += 1000
        }
      },
    ),
    { numRuns: 1000 },
  )
  t.pass('1,000 clients')
})

t.test('resilient: a thief and a victim cannot take turns', async (t) => {
  const world: World = { grant: makeGrant({ created_at: NOW }), answered: [] }
  const policy = policyOf('resilient', 30)
  const holds = { victim: 0, thief: 0 }
  let now = NOW
  let turns = 0
  while (world.grant.revoked_at === null && turns < 20) {
    const who = turns % 2 === 0 ? 'victim' : 'thief'
    const before = world.answered.length
    swap(world, policy, false, { presented: holds[who], read: world.grant, now })
    if (world.answered.length > before) holds[who] = world.answered.at(-1)?.successor ?? 0
    now += 4000
    turns++
  }
  t.ok(world.grant.revoked_at !== null, 'the grant ends')
  t.ok(turns <= 4, `after ${turns} turns`)
})

function assert(condition: boolean, rule: string): void {
  if (!condition) throw new Error(rule)
}
