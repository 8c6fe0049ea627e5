import t from 'tap'
import { sealAudit, verifyAuditChain } from '../../server/observe/audit_chain.ts'
import { buildTestAdmin } from '../helpers/admin.ts'

const admin = await buildTestAdmin(t)
const { call, deps } = admin
const { account_id } = await admin.createAccount({ username: 'alice' })
await admin.signIn('alice')
await admin.postJson('/api/token/', { username: 'alice', password: 'wrong wrong wrong' })

t.test('the trail is read by event and by account, newest first', async (t) => {
  const refused = (await call('GET', 'audit?event=sign_in.refused')).json().items
  t.match(refused, [{ event: 'sign_in.refused', account_id }])
  const ofAlice = (await call('GET', 'audit?account=alice')).json().items
  t.equal(ofAlice[0].event, 'sign_in.refused')
  t.ok(ofAlice.every((record: { account_id: string }) => record.account_id === account_id))
  t.same((await call('GET', 'audit?account=nobody')).json().items, [])
  const [newest] = (await call('GET', 'audit?limit=1')).json().items
  const next = (
    await call('GET', `audit?limit=1&cursor=${(await call('GET', 'audit?limit=1')).json().next_cursor}`)
  ).json()
  t.ok(next.items[0].audit_id < newest.audit_id)
})

t.test('what is sealed is covered by the chain', async (t) => {
  await sealAudit(deps)
  const first = (await call('GET', 'audit/verify')).json()
  t.match(first, { outcome: 'intact', seals: 1 })
  await call('POST', 'clients', { grant_types: ['client_credentials'] })
  await sealAudit(deps)
  t.match((await call('GET', 'audit/verify')).json(), { outcome: 'intact', seals: 2, records: first.records + 1 })
  await sealAudit(deps)
  t.match((await call('GET', 'audit/verify')).json(), { seals: 2 }, 'nothing new, no seal')
})

t.test('a record changed, taken out or put in breaks the chain; so does a missing seal', async (t) => {
  const links = await deps.store.readSeals(0, 100)
  const verify = (changed: typeof links) =>
    verifyAuditChain({ readSeals: async (after) => changed.filter(({ seal }) => seal.seal > after) })
  t.match(await verify(links), { outcome: 'intact', seals: 2 })
  const [one, two] = links
  if (one === undefined || two === undefined) throw new Error('two seals were made')
  const [record, ...others] = one.records
  if (record === undefined) throw new Error('the first seal covers nothing')
  const broken = { outcome: 'broken', seal: 1 }
  for (const [member, value] of Object.entries(record)) {
    const changed = { ...record, [member]: typeof value === 'number' ? value + 1 : `${value}x` }
    t.same(await verify([{ ...one, records: [changed, ...others] }, two]), broken, member)
  }
  t.same(await verify([{ ...one, records: others }, two]), broken)
  t.same(await verify([{ ...one, records: [record, ...one.records] }, two]), broken)
  t.same(await verify([two]), broken)
  t.same(await verify([one, { ...two, seal: { ...two.seal, previous_hash: 'x' } }]), { outcome: 'broken', seal: 2 })
})
