/**
 * A node of its own for the races between processes: opens the database of its first argument, says `ready`, and at
 * the word `go` rotates the grant of its second argument as often as it can. Then it uses everything that
 * `prepareSingleUses` has made for that grant 32 times. Prints what it did, as JSON.
 */
import { once } from 'node:events'
import { openStore } from '../../server/storage/open.ts'
import { raceSingleUses } from './single_uses.ts'

const [database = '', grant_id = '', rotations = '0'] = process.argv.slice(2)
const store = await openStore({ database }, { now: () => 1_800_000_000 })
process.stdout.write('ready\n')
await once(process.stdin, 'data')

const won: number[] = []
const attempts = { allowed: 0, refused: 0 }
let revoked = false

async function rotate(): Promise<void> {
  while (!revoked) {
    const generation = (await store.findGrant(grant_id))?.grant.generation ?? 0
    if (generation >= Number(rotations)) return
    const rotation = { grant_id, generation, now: generation, idle_expires_at: 2_000_000_000 }
    if ((await store.rotateRefreshToken(rotation, [])) === 'rotated') won.push(generation)
  }
}

async function guess(): Promise<void> {
  const limit = { limit: 5, window_seconds: 60, lock_base_seconds: 0, lock_max_seconds: 0, max_consecutive: null }
  const { outcome } = await store.consumeAttempt([{ key: grant_id, ...limit }], 1_800_000_000)
  attempts[outcome] += 1
}

await Promise.all([...Array.from({ length: 8 }, rotate), ...Array.from({ length: 32 }, guess)])
const revocation = { because: 'revoked_by_owner', now: 1_800_000_000 } as const
const revocation_outcome = await store.revokeGrant(grant_id, revocation, [])
revoked = true
const first = {
  username: 'first',
  email: null,
  email_verified_at: null,
  name: null,
  roles: [],
  password_hash: null,
  profile: {},
}
const account = {
  account_id: `${process.pid}`,
  ...first,
  legacy_user_id: null,
  disabled_at: null,
  created_at: 0,
  updated_at: 0,
}
const account_outcome = await store.createAccount(account, [])
const single_uses = await raceSingleUses(store, grant_id)
await store.close()
process.stdout.write(`${JSON.stringify({ won, attempts, revocation_outcome, account_outcome, single_uses })}\n`)
process.exit()
