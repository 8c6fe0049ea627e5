import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { generateSigningKey } from '../../keys/generate.ts'
import { openVault, signingKeyPlace } from '../../keys/vault.ts'
import { auditRecord } from '../../server/observe/audit.ts'
import { emptyVault, random, testVault } from '../helpers/vault.ts'

const plaintext = Buffer.from('a secret')

function newKekLine(kek_id: string): string {
  return `${kek_id}:${Buffer.from(random.bytes(32)).toString('base64')}\n`
}

t.test('the first start makes the file and the secrets; the next start finds them', async (t) => {
  const { vault, ...options } = await testVault(t)
  const sealed = vault.seal('table/column/row', plaintext)
  const names = (await options.store.listVaultSecrets()).map(({ name, key_id }) => [name, key_id])
  t.same(names, [
    ['check', 1],
    ['handle_digest', 1],
    ['refresh_token_mac', 1],
  ])

  const again = await openVault(options)
  t.ok(plaintext.equals(again.open('table/column/row', sealed)))
  t.equal(again.digest('session', 'handle'), vault.digest('session', 'handle'))
  t.ok(again.refreshTokenMacKey.key.equals(vault.refreshTokenMacKey.key))
})

t.test('several processes start on one data directory and one database: all have the same keys', async (t) => {
  const options = await emptyVault(t)
  const vaults = await Promise.all(Array.from({ length: 8 }, () => openVault(options)))
  t.equal(new Set(vaults.map((vault) => vault.digest('session', 'handle'))).size, 1)
  t.equal(new Set(vaults.map(({ refreshTokenMacKey }) => refreshTokenMacKey.key.export().toString('hex'))).size, 1)
  t.equal((await options.store.listVaultSecrets()).length, 3)
})

t.test('an encrypted database without its key-encryption key file is refused, and no new file is made', async (t) => {
  const { vault, ...options } = await testVault(t)
  t.ok(vault)
  rmSync(options.key_encryption_key_file)
  const missing = { name: 'VaultError', message: /is missing\. Put the file back/ }
  await t.rejects(openVault(options), missing)
  await t.rejects(openVault(options), missing, 'nor is it the second time')
})

t.test('a wrong key-encryption key says so at once', async (t) => {
  const { vault, ...options } = await testVault(t)
  const path = options.key_encryption_key_file
  const kek_id = vault.seal('', plaintext).split('.')[1] ?? ''

  writeFileSync(path, newKekLine(kek_id))
  await t.rejects(openVault(options), {
    name: 'VaultError',
    message: /vault_secrets\/sealed\/check\/1 cannot be opened/,
  })
  writeFileSync(path, newKekLine('another'))
  const unknown = {
    name: 'VaultError',
    message: new RegExp(
      `under the key-encryption key ${kek_id}, which ${path} does not hold.*copy the file from the node`,
    ),
  }
  await t.rejects(openVault(options), unknown)
})

t.test('a file that others may read is refused', async (t) => {
  const { vault, ...options } = await testVault(t)
  t.ok(vault)
  chmodSync(options.key_encryption_key_file, 0o640)
  await t.rejects(openVault(options), { name: 'VaultError', message: /chmod 600/ })
})

t.test('a value opens at its own place only, unaltered', async (t) => {
  const { vault } = await testVault(t)
  const sealed = vault.seal('table/column/1', plaintext)
  t.ok(plaintext.equals(vault.open('table/column/1', sealed)))
  const damaged = { name: 'VaultError', message: /cannot be opened/ }
  t.throws(() => vault.open('table/column/2', sealed), damaged)
  t.throws(() => vault.open('table/column/1', sealed.replace(/.{4}$/, 'AAAA')), damaged)
  t.throws(() => vault.open('table/column/1', 'a secret'), { name: 'VaultError', message: /holds no sealed value/ })
})

t.test('what the database holds shows neither the secrets nor the key-encryption key', async (t) => {
  const { vault, store, key_encryption_key_file } = await testVault(t)
  const stored = JSON.stringify(await store.listVaultSecrets())
  const mac_key = vault.refreshTokenMacKey.key.export()
  const [, kek = ''] = /:(.+)\n/.exec(readFileSync(key_encryption_key_file, 'utf8').replace(/#.*\n/, '')) ?? []
  t.equal(Buffer.from(kek, 'base64').length, 32)
  for (const secret of [mac_key, Buffer.from(kek, 'base64')]) {
    t.notOk(stored.includes(secret.toString('base64url')) || stored.includes(secret.toString('hex')))
  }
})

t.test('RFC 2104: a digest depends on the key, the label and the handle', async (t) => {
  const { vault } = await testVault(t)
  const { vault: other } = await testVault(t)
  const digest = vault.digest('session', 'handle')
  t.match(digest, /^[A-Za-z0-9_-]{43}$/)
  t.equal(vault.digest('session', 'handle'), digest)
  t.not(vault.digest('code', 'handle'), digest)
  t.not(vault.digest('session', 'handl'), digest)
  t.not(vault.digest('sessio', 'nhandle'), digest)
  t.not(other.digest('session', 'handle'), digest)
})

t.test('refresh-token MAC keys are found by id; the youngest makes new tokens', async (t) => {
  const { vault, ...options } = await testVault(t)
  t.equal(vault.refreshTokenMacKey.mac_key_id, 1)
  t.equal(vault.findRefreshTokenMacKey(1), vault.refreshTokenMacKey)
  for (const unknown of [0, 2, 255, 256, -1, Number.NaN]) t.equal(vault.findRefreshTokenMacKey(unknown), undefined)

  const sealed = vault.seal('vault_secrets/sealed/refresh_token_mac/2', random.bytes(32))
  await options.store.insertVaultSecret({ name: 'refresh_token_mac', key_id: 2, sealed, created_at: 0 })
  const later = await openVault(options)
  t.equal(later.refreshTokenMacKey.mac_key_id, 2)
  t.ok(later.findRefreshTokenMacKey(1)?.key.equals(vault.refreshTokenMacKey.key))
})

t.test('one sealed secret cannot stand in for another', async (t) => {
  const { vault, ...options } = await testVault(t)
  t.ok(vault)
  const { store } = options
  const [, digest, mac] = await store.listVaultSecrets()
  if (digest === undefined || mac === undefined) throw new Error('no secrets')
  await store.replaceSealedVaultSecret('refresh_token_mac', 1, mac.sealed, digest.sealed)
  await t.rejects(openVault(options), { message: /refresh_token_mac\/1 cannot be opened/ })
})

t.test('rewrap puts everything under the active key-encryption key; then the old one may go', async (t) => {
  const { vault, ...options } = await testVault(t)
  const { store, clock, key_encryption_key_file: path } = options
  const material = await generateSigningKey('EdDSA', vault)
  const instants = { created_at: clock.now(), activated_at: clock.now(), retired_at: null, removed_at: null }
  await store.insertSigningKeys([{ ...material, ...instants }], [auditRecord(options, 'keys.created')])
  t.equal(await vault.rewrap(store), 0, 'there is nothing to do under the only key')

  const newLine = newKekLine('new')
  writeFileSync(path, newLine + readFileSync(path, 'utf8'))
  const both = await openVault(options)
  t.equal(await both.rewrap(store), 4)
  t.equal(await both.rewrap(store), 0)

  writeFileSync(path, newLine)
  const later = await openVault(options)
  t.equal(later.digest('session', 'handle'), vault.digest('session', 'handle'))
  const [key] = await store.listSigningKeys()
  t.ok(later.open(signingKeyPlace(material.kid), key?.private_key_sealed ?? '').length > 0)
})

t.test('without rewrap the old key-encryption key is still needed', async (t) => {
  const { vault, ...options } = await testVault(t)
  t.ok(vault)
  writeFileSync(options.key_encryption_key_file, newKekLine('new'))
  await t.rejects(openVault(options), { name: 'VaultError', message: /Put that key back/ })
})
