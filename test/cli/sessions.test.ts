import t, { type Test } from 'tap'
import { runInProcess } from '../helpers/cli.ts'
import { makeConsent } from '../helpers/interaction.ts'
import { temporaryDirectory } from '../helpers/process.ts'
import { openSeeder } from '../helpers/seed.ts'
import { seedSession, seedSessionClient } from '../helpers/session.ts'
import { WEB_CLIENT } from '../helpers/web_client.ts'

const env = { GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
const seeder = await openSeeder(t, env)
const { deps } = seeder
const { account_id } = await seeder.account({ username: 'alice' })
await seeder.client({ ...WEB_CLIENT, backchannel_logout_uri: 'https://app.example/out' })

const run = (args: string[]) => runInProcess(args, env)
async function text(t: Test, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(args)
  t.equal(code, 0, `gatehouse ${args.join(' ')} ${stderr}`)
  return stdout
}
const json = async (t: Test, args: string[]) => JSON.parse(await text(t, [...args, '--json']))

t.test('sessions: list, show, revoke; logouts: who is told', async (t) => {
  const { session } = await seedSession(deps, { account_id })
  const { session_id } = session
  await seedSessionClient(deps, session, 'web')
  t.match(await text(t, ['sessions', 'list']), new RegExp(`${session_id} +alice .*\\d{4}-\\d\\d-\\d\\d`))
  t.match(await json(t, ['sessions', 'show', session_id]), { session_id, account_id, clients: ['web'], ended_at: null })
  t.equal(await text(t, ['logouts', 'list']), 'None.\n')
  t.equal(await text(t, ['sessions', 'revoke', session_id]), `Ended ${session_id}.\n`)
  t.match(await json(t, ['sessions', 'show', session_id]), { ended_because: 'revoked_by_admin' })
  t.match(await json(t, ['logouts', 'list', '--client', 'web', '--session', session_id]), {
    items: [{ session_id, client_id: 'web', state: 'waiting', attempts: 0 }],
  })
  t.match(await text(t, ['logouts', 'list']), /web +waiting +0/)
  t.equal(await text(t, ['logouts', 'list', '--client', 'other']), 'None.\n')
})

t.test('sessions revoke takes what matches every option', async (t) => {
  await seedSession(deps, { account_id })
  await seedSession(deps, { account_id })
  t.match(await json(t, ['sessions', 'revoke', '--created-before', '2001-01-01', '--yes']), { ended: 0 })
  t.equal(await text(t, ['sessions', 'revoke', '--account', 'alice', '--yes']), 'Ended 2 sessions.\n')
})

t.test('consents: list, withdraw', async (t) => {
  await deps.store.saveConsent({ consent: makeConsent({ account_id }), before: undefined }, [])
  t.match(await text(t, ['consents', 'list', '--client', 'web']), /alice .*openid profile/)
  t.match(await text(t, ['consents', 'withdraw', 'alice', 'web']), /Withdrew what alice allowed web\./)
  t.equal(await text(t, ['consents', 'list']), 'None.\n')
})

t.test('what is not there is a 3, and what is not said a 2', async (t) => {
  const cases: [args: string[], code: number][] = [
    [['sessions', 'show', 'nothing'], 3],
    [['sessions', 'revoke', 'nothing'], 3],
    [['sessions', 'list', '--account', 'nobody'], 3],
    [['sessions', 'revoke'], 2],
    [['sessions', 'revoke', 'one', '--account', 'alice'], 2],
    [['consents', 'withdraw', 'alice', 'web'], 3],
    [['consents', 'withdraw', 'alice'], 2],
    [['logouts', 'list', '--limit', '0'], 2],
  ]
  for (const [args, code] of cases) t.equal((await run(args)).code, code, args.join(' '))
})
