import t from 'tap'
import { databaseOf, ENGINES } from '../helpers/engines.ts'
import { pairOf, type ServerClient, textOf } from '../helpers/server_client.ts'
import { startTwoNodes } from '../helpers/two_nodes.ts'

const CALLERS = 64
const ROUNDS = 20

/** Everybody at once, by turns at one server and the other, at `/token` and at the login API. */
function everybody(nodes: readonly [ServerClient, ServerClient], token: string) {
  return Promise.all(
    Array.from({ length: CALLERS }, (_, caller) => {
      const node = nodes[caller % 2 === 0 ? 0 : 1]
      return caller % 4 < 2 ? node.refresh(token) : node.refreshAtLoginApi(token)
    }),
  )
}

for (const engine of ENGINES) {
  t.test(`two server processes on one database: ${engine}`, async (t) => {
    const opened = await databaseOf(t, engine)
    if ('skip' in opened) return t.plan(0, opened.skip)
    const { nodes, seeder } = await startTwoNodes(t, opened.database)
    const { account_id } = await seeder.account({ username: 'alice' })

    await t.test(`of ${CALLERS} who refresh one token at once, all get the same successor`, async (t) => {
      const { grant, token } = await seeder.grant({ account_id })
      let current = token()
      for (let round = 1; round <= ROUNDS; round += 1) {
        const answers = await everybody(nodes, current)
        const refused = answers.filter(({ status }) => status !== 200)
        t.same(refused, [], 'nobody is logged out')
        const successors = new Set(answers.map((answer) => pairOf(answer)?.refresh))
        t.same([...successors], [token(round)], 'one successor')
        const { body } = await nodes[round % 2 === 0 ? 0 : 1].admin('GET', `grants/${grant.grant_id}`)
        t.match(body, { generation: round, revoked_at: null }, 'one generation further')
        current = token(round)
      }
      t.equal((await nodes[0].refresh(current)).status, 200, 'the last successor works')
    })

    await t.test('profile strict: one of them gets it, and an authenticated client keeps its grant', async (t) => {
      const client = { client_id: 'strict', client_secret: 'of no consequence' }
      await seeder.client({ ...client, refresh_token_profile: 'strict' })
      const { grant, token } = await seeder.grant({ account_id, client_id: client.client_id })
      const racers = Array.from({ length: CALLERS }, (_, i) => nodes[i % 2 === 0 ? 0 : 1].refresh(token(), client))
      const answers = await Promise.all(racers)
      const won = answers.filter(({ status }) => status === 200)
      t.same(
        won.map(({ body }) => textOf(body, 'refresh_token')),
        [token(1)],
      )
      const lost = answers.filter(({ status }) => status !== 200)
      t.match(lost, Array(CALLERS - 1).fill({ status: 400, body: { error: 'invalid_grant' } }))
      const { body } = await nodes[0].admin('GET', `grants/${grant.grant_id}`)
      t.match(body, { generation: 1, revoked_at: null })
    })
  })
}
