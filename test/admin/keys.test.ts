import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { openVault } from '../../keys/vault.ts'
import { VaultError } from '../../keys/vault_error.ts'
import { buildTestAdmin } from '../helpers/admin.ts'

interface Key {
  kid: string
  alg: string
  state: string
}

t.test('a key is rotated without a restart, and no earlier than verifiers can know the next one', async (t) => {
  const { call } = await buildTestAdmin(t)
  const list = async (): Promise<Key[]> => (await call('GET', 'keys')).json().items
  const kidOf = async (state: string) => (await list()).find((key) => key.alg === 'RS256' && key.state === state)?.kid
  const [active, next] = [await kidOf('active'), await kidOf('next')]

  const rotated = await call('POST', 'keys/rotate')
  t.same(rotated.json(), { kid: next, retired: active, unaware: [] })
  t.equal(await kidOf('retiring'), active)

  const early = await call('POST', 'keys/rotate', { alg: 'RS256' })
  t.equal(early.statusCode, 409)
  t.type(early.json().ready_at, 'number')
  t.equal((await call('POST', 'keys/rotate', { force: true })).statusCode, 200)

  t.equal((await call('POST', 'keys/rotate', { emergency: true })).statusCode, 200)
  t.notMatch((await call('GET', 'keys')).body, /private|sealed|"d"/)
  for (const body of [{ alg: 'HS256' }, { emergency: 'yes' }, [], 'rotate', null]) {
    t.equal((await call('POST', 'keys/rotate', body)).statusCode, body === null ? 409 : 400, JSON.stringify(body))
  }
})

t.test('a rotation waits for a resource server that has not fetched the next key, and says for whom', async (t) => {
  const { call, deps, inject, clock } = await buildTestAdmin(t)
  const resource = 'https://api.example.com'
  await call('POST', 'resources', { resource })
  const fetchKeys = async (query: string, user_agent: string, method: 'GET' | 'HEAD' = 'GET', headers = {}) => {
    const url = `/.well-known/jwks.json${query}`
    const reply = await inject({ method, url, headers: { 'user-agent': user_agent, ...headers } })
    await deps.fetchLedger.flush()
    return reply
  }
  const hint = `?resource=${encodeURIComponent(resource)}`
  await call('POST', 'keys/rotate')
  // Everybody knows the key that signs now, and has the next one only from now on.
  clock.advance(1)
  const { etag } = (await fetchKeys('?resource=https://nobody.example', 'curl/8')).headers
  const { kids } = deps.keys.jwks
  const next = deps.keys.list().find(({ state }) => state === 'next')?.kid ?? ''
  const without = kids.filter((kid) => kid !== next)
  const stale = { resource, address_prefix: '192.0.2.7', agent: 'gunicorn', kids: without, fetched_at: clock.now() }
  await deps.store.recordKeyFetches([stale], { of_resource: 9, of_others: 9 })
  clock.advance(deps.config.keys.publish_ahead_seconds)

  const waits = await call('POST', 'keys/rotate')
  t.match(waits, { statusCode: 409 })
  t.match(waits.json(), { errors: [{ field: resource, message: /^gunicorn at 192\.0\.2\.7 fetched .* last 20\d\d-/ }] })
  t.equal(waits.json().errors.length, 1, 'and not for whoever names no resource of ours')
  const { rotation_seconds, wait_for_fetchers_seconds } = deps.config.keys
  const active = deps.keys.list().find(({ state }) => state === 'active')
  t.equal(waits.json().ready_at, (active?.activated_at ?? 0) + rotation_seconds + wait_for_fetchers_seconds)
  const keyOf = async (kid: string) => {
    const { items }: { items: { kid: string }[] } = (await call('GET', 'keys')).json()
    return items.find((key) => key.kid === kid)
  }
  t.match(await keyOf(next), { waits_for: 1, fetched_by: 1 })
  const fetchers = await call('GET', 'keys/fetchers')
  t.match(fetchers.json().items, [
    { resource: null, agent: 'curl', has_next: true },
    { resource, agent: 'gunicorn', has_next: false },
  ])

  await fetchKeys(hint, 'gunicorn/21', 'HEAD')
  await fetchKeys(hint, 'other/1')
  t.equal((await call('POST', 'keys/rotate')).statusCode, 409, 'a HEAD hands out nothing, and another is another')
  const forced = await call('POST', 'keys/rotate', { force: true })
  t.match(forced.json(), { kid: next, unaware: [{ resource, agent: 'gunicorn' }] }, 'who is left behind is named')
  const { items } = await deps.store.listAudit({ event: 'keys.rotated' }, { limit: 1, cursor: null })
  t.match(items[0]?.detail, /https:..api.example.com from 192.0.2.7 with gunicorn/)

  clock.advance(1)
  const fresh = await fetchKeys(hint, 'other/1', 'GET', { 'if-none-match': deps.keys.jwks.etag })
  t.equal(fresh.statusCode, 304)
  t.not(etag, deps.keys.jwks.etag)
  clock.advance(deps.config.keys.publish_ahead_seconds)
  const rotated = await call('POST', 'keys/rotate')
  t.equal(
    rotated.statusCode,
    200,
    'RFC 9110 §15.4.5: who is told 304 has the set; who does not know the present key has gone',
  )
})

t.test('the scheduled rotation waits, says so once, and goes on without who never comes', async (t) => {
  const { call, deps, clock } = await buildTestAdmin(t)
  const resource = 'https://api.example.com'
  await call('POST', 'resources', { resource })
  await call('POST', 'keys/rotate')
  const next = deps.keys.list().find(({ state }) => state === 'next')?.kid
  const { rotation_seconds, wait_for_fetchers_seconds } = deps.config.keys
  const kids = deps.keys.jwks.kids.filter((kid) => kid !== next)
  const stale = { resource, address_prefix: '192.0.2.7', agent: 'gunicorn', kids, fetched_at: clock.now() }
  await deps.store.recordKeyFetches([stale], { of_resource: 9, of_others: 9 })
  const stateOf = (kid: string | undefined) => deps.keys.list().find((key) => key.kid === kid)?.state
  clock.advance(rotation_seconds)
  t.match(await deps.keys.runSchedule(), [{ kid: next, due: true, fetchers: [{ resource }] }])
  t.same(await deps.keys.runSchedule(), [], 'once')
  t.equal(stateOf(next), 'next')
  const { items } = await deps.store.listAudit({ event: 'keys.rotation_waits' }, { limit: 9, cursor: null })
  t.equal(items.length, 1)
  clock.advance(wait_for_fetchers_seconds)
  await deps.keys.runSchedule()
  t.equal(stateOf(next), 'active')
})

t.test('an emergency waits for nobody', async (t) => {
  const { call, deps, clock } = await buildTestAdmin(t)
  const resource = 'https://api.example.com'
  await call('POST', 'resources', { resource })
  const kids = deps.keys.list().flatMap(({ kid, state }) => (state === 'active' ? [kid] : []))
  const stale = { resource, address_prefix: '192.0.2.7', agent: 'gunicorn', kids, fetched_at: clock.now() }
  await deps.store.recordKeyFetches([stale], { of_resource: 9, of_others: 9 })
  t.equal((await call('POST', 'keys/rotate')).statusCode, 409)
  t.match((await call('POST', 'keys/rotate', { emergency: true })).json(), { unaware: [{ resource }] })
})

t.test('secrets are sealed anew under another key-encryption key, and then the old one may go', async (t) => {
  const { call, deps } = await buildTestAdmin(t)
  t.same((await call('POST', 'keys/rewrap')).json(), { rewrapped: 0 })

  const { key_encryption_key_file } = deps.config.keys
  const old = readFileSync(key_encryption_key_file, 'utf8')
  const fresh = `fresh:${randomBytes(32).toString('base64')}\n`
  const open = () => openVault({ ...deps, key_encryption_key_file })
  writeFileSync(key_encryption_key_file, fresh + old)
  t.ok((await (await open()).rewrap(deps.store)) > 0)
  writeFileSync(key_encryption_key_file, fresh)
  await t.resolves(open())
  writeFileSync(key_encryption_key_file, old)
  await t.rejects(open(), VaultError)
})
