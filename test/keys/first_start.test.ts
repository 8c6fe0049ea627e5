import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

/** What a starting server does, in a process of its own; it prints what it has in memory. */
const START = `
  import { openSigningKeys } from './keys/signing_keys.ts'
  import { openVault } from './keys/vault.ts'
  import { openStore } from './server/storage/open.ts'
  import { random } from './test/helpers/vault.ts'
  const [database, key_encryption_key_file] = process.argv.slice(1)
  const clock = { now: () => 1_800_000_000 }
  const store = await openStore({ database }, clock)
  const vault = await openVault({ key_encryption_key_file, store, random, clock })
  const policy = { rotation_seconds: 86_400, publish_ahead_seconds: 3_600, longest_token_seconds: 300, wait_for_fetchers_seconds: 0 }
  const keys = await openSigningKeys({ store, vault, clock, random, policy })
  const mac_key = vault.refreshTokenMacKey.key.export().toString('hex')
  console.log(JSON.stringify([vault.digest('label', 'handle'), mac_key, keys.jwks.etag, keys.list()]))
  await store.close()
`
const root = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

t.test('processes that start at once on one new data directory have the same keys', async (t) => {
  const directory = t.testdir()
  const args = ['--input-type=module', '--eval', START, `sqlite:${join(directory, 'db')}`, join(directory, 'kek')]
  const started = await Promise.all(Array.from({ length: 3 }, () => run(process.execPath, args, { cwd: root })))
  const [one, ...others] = started.map(({ stdout }) => stdout)
  t.match(one, /"state":"active"/)
  for (const other of others) t.equal(other, one)
})
