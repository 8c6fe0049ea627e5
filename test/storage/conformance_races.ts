import type { Test } from 'tap'
import {
  countAudit,
  fresh,
  NOW,
  type Opened,
  sampleAccount,
  sampleAudit,
  sampleGrant,
  sampleKey,
  sampleLimit,
  tally,
} from './samples.ts'

export const RACERS = 64

/** All at once; how often each answer came. */
export async function race(run: (racer: number) => Promise<string>): Promise<Record<string, number>> {
  return tally(await Promise.all(Array.from({ length: RACERS }, (_, racer) => run(racer))))
}

export async function raceConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('of 64 who rotate one generation, one does', async (t) => {
    const grant = sampleGrant()
    const { grant_id } = grant
    const event = fresh('test.race')
    await store.createGrant(grant, [], [])
    const rotation = { grant_id, generation: 0, now: NOW + 1, idle_expires_at: NOW + 2 }
    const answers = await race(() => store.rotateRefreshToken(rotation, [sampleAudit(event)]))
    t.same(answers, { rotated: 1, stale: RACERS - 1 })
    t.match(await store.findGrant(grant_id), { grant: { generation: 1 } })
    t.equal(await countAudit(store, event), 1)
  })

  t.test('after a revocation is acknowledged, nothing rotates', async (t) => {
    for (let round = 0; round < 20; round += 1) {
      const grant = sampleGrant()
      const { grant_id } = grant
      await store.createGrant(grant, [], [])
      let revoked = false
      let generation = 0
      let slipped = 0
      const rotating = Array.from({ length: 4 }, async () => {
        for (let tries = 0; tries < 10; tries += 1) {
          const known_revoked = revoked
          const rotation = { grant_id, generation, now: NOW, idle_expires_at: NOW }
          if ((await store.rotateRefreshToken(rotation, [])) === 'stale') continue
          generation += 1
          if (known_revoked) slipped += 1
        }
      })
      const revoking = store.revokeGrant(grant_id, { because: 'revoked_by_owner', now: NOW }, []).then((answer) => {
        revoked = true
        return answer
      })
      t.equal(await revoking, 'revoked')
      const at_revocation = (await store.findGrant(grant_id))?.grant.generation
      await Promise.all(rotating)
      t.equal(slipped, 0)
      t.equal((await store.findGrant(grant_id))?.grant.generation, at_revocation)
    }
  })

  t.test('no grant of a sign-in outlives the disabling that it races', async (t) => {
    const outcomes: string[] = []
    for (let round = 0; round < 30; round += 1) {
      const account = sampleAccount()
      const { account_id } = account
      await store.createAccount(account, [])
      const signIn = () => store.createGrant(sampleGrant({ account_id }), [], [])
      const disable = () => store.disableAccount(account_id, NOW, [])
      outcomes.push(...(await Promise.all([signIn(), signIn(), disable(), signIn(), signIn()])))
      await store.enableAccount(account_id, NOW, [])
      const { items } = await store.listGrants({ account_id }, { limit: 10, cursor: null })
      t.ok(items.every((grant) => grant.revoked_at !== null))
    }
    const { created = 0, account_disabled = 0 } = tally(outcomes)
    t.equal(created + account_disabled, 120)
    t.ok(account_disabled > 0, 'some came too late')
  })

  t.test('of 64 who revoke one grant, one does', async (t) => {
    const grant = sampleGrant()
    await store.createGrant(grant, [], [])
    const revocation = { because: 'revoked_by_owner', now: NOW } as const
    const answers = await race(() => store.revokeGrant(grant.grant_id, revocation, []))
    t.same(answers, { revoked: 1, already_revoked: RACERS - 1 })
  })

  t.test('of 64 who claim one set-up link, one becomes the administrator', async (t) => {
    const digest = fresh('digest')
    const handle = { digest, purpose: 'setup_link', subject: null, expires_at: NOW + 60 } as const
    await store.createOneTimeHandle(handle, [])
    const admin = () => sampleAccount({ roles: ['admin'] })
    const answers = await race(() => store.createFirstAdministrator(admin(), digest, NOW, []))
    t.same(answers, { created: 1, link_spent: RACERS - 1 })
    for (const { account_id } of (await store.listAccounts({ limit: 1_000, cursor: null })).items) {
      await store.disableAccount(account_id, NOW, [])
    }
  })

  t.test('of two links at once, one makes the administrator', async (t) => {
    const digests = [fresh('digest'), fresh('digest')]
    for (const digest of digests) {
      await store.createOneTimeHandle({ digest, purpose: 'setup_link', subject: digest, expires_at: NOW + 60 }, [])
    }
    const admin = () => sampleAccount({ roles: ['admin'] })
    const answers = await race((racer) => store.createFirstAdministrator(admin(), digests[racer % 2] ?? '', NOW, []))
    t.same(answers, { created: 1, link_spent: RACERS - 1 })
  })

  t.test('of 64 accounts with one name, one is created', async (t) => {
    const username = fresh('name')
    const email = `${username}@example.com`
    const answers = await race((racer) =>
      // Crossed, so that they take the two identifiers in both orders.
      store.createAccount(sampleAccount(racer % 2 ? { username, email } : { username: email, email: username }), []),
    )
    t.same(answers, { created: 1, identifier_taken: RACERS - 1 })
  })

  t.test('of 64 who make the first keys, one does, whole', async (t) => {
    const before = (await store.listSigningKeys()).length
    for (const { kid } of await store.listSigningKeys()) await store.removeSigningKey(kid, NOW, [])
    const answers = await race(() => store.insertSigningKeys([sampleKey({ activated_at: NOW }), sampleKey()], []))
    t.same(answers, { inserted: 1, lost_race: RACERS - 1 })
    t.equal((await store.listSigningKeys()).length, before + 2)
  })

  t.test('of 64 who rotate the keys, one does', async (t) => {
    const keys = (await store.listSigningKeys()).filter((key) => key.alg === 'RS256' && key.removed_at === null)
    const kid = keys.find((key) => key.activated_at === null)?.kid ?? ''
    const retire = keys.find((key) => key.activated_at !== null)?.kid ?? ''
    const change = () => ({ kid, retire, next: sampleKey(), now: NOW })
    t.same(await race(() => store.activateSigningKey(change(), [])), { activated: 1, lost_race: RACERS - 1 })
  })

  t.test('of 64 parallel guesses against a limit of 5, five are allowed', async (t) => {
    const limit = sampleLimit({ lock_base_seconds: 60, lock_max_seconds: 900, max_consecutive: 100 })
    const wide = sampleLimit({ limit: 20 })
    let locks = 0
    const answers = await race(async (racer) => {
      const limits = racer % 2 ? [limit, wide] : [wide, limit]
      const answer = await store.consumeAttempt(limits, NOW)
      if (answer.outcome === 'refused' && answer.newly_locked) locks += 1
      return answer.outcome
    })
    t.same(answers, { allowed: 5, refused: RACERS - 5 })
    t.equal(locks, 1)
    for (let left = 0; left < 15; left += 1) t.match(await store.consumeAttempt([wide], NOW), { outcome: 'allowed' })
    t.match(await store.consumeAttempt([wide], NOW), { outcome: 'refused' })
  })

  t.test('of 64 who make a vault secret, one does', async (t) => {
    const name = fresh('secret')
    const secret = (racer: number) => ({ name, key_id: 1, sealed: `${racer}`, created_at: NOW })
    t.same(await race((racer) => store.insertVaultSecret(secret(racer))), { inserted: 1, exists: RACERS - 1 })
  })

  t.test('of 64 who seal the trail, none seals a record twice', async (t) => {
    const event = fresh('test.race')
    await store.appendAudit([sampleAudit(event), sampleAudit(event)])
    const answers = await race(() => store.sealAudit(() => 'hash', NOW, 1_000))
    t.match(answers, { sealed: Number })
    const seals = await store.readSeals(0, 1_000)
    const sealed = seals.flatMap(({ records }) => records).filter((record) => record.event === event)
    t.equal(sealed.length, 2)
    t.same(
      seals.map(({ seal }) => seal.seal),
      seals.map((_, index) => index + 1),
    )
  })
}
