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
  t.same(rotated.json(), { kid: next, retired: active })
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
