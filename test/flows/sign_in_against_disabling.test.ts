import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildTestApp, NOW, PASSWORD } from '../helpers/app.ts'

const ROUNDS = 12

t.test('a sign-in that an account is disabled during gets nothing that lasts', async (t) => {
  const { deps, createAccount, postJson } = await buildTestApp(t)
  const statuses: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const username = `user${round}`
    const { account_id } = await createAccount({ username })
    const signingIn = postJson('/api/token/', { username, password: PASSWORD })
    // Into the queue, into the hashing, and after it.
    if (round < ROUNDS) await sleep(round * round)
    else await signingIn
    const [answer] = await Promise.all([signingIn, deps.store.disableAccount(account_id, NOW, [])])
    statuses.push(answer.statusCode)
    await deps.store.enableAccount(account_id, NOW, [])
    const { items } = await deps.store.listGrants({ account_id }, { limit: 10, cursor: null })
    t.ok(
      items.every(({ revoked_at }) => revoked_at !== null),
      `round ${round}`,
    )
    if (answer.statusCode !== 200) continue
    const { refresh } = answer.json()
    t.equal((await postJson('/api/token/refresh/', { refresh })).statusCode, 401)
  }
  t.comment(statuses.join(' '))
  t.ok(statuses.includes(401), 'the disabling came first at times')
  t.equal(statuses.at(-1), 200, 'and last in the end')
})
