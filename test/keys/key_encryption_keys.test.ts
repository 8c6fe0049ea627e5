import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { createKeyEncryptionKeyFile, readKeyEncryptionKeys } from '../../keys/key_encryption_keys.ts'
import { random } from '../helpers/vault.ts'

const key = Buffer.alloc(32, 1).toString('base64')
const other = Buffer.alloc(32, 2).toString('base64')

function written(t: { testdir(): string }, text: string, mode = 0o600): string {
  const path = join(t.testdir(), 'kek')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

t.test('a new file holds one key and only its owner may read it', async (t) => {
  const path = join(t.testdir(), 'data', 'kek')
  await createKeyEncryptionKeyFile(path, random)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(dirname(path)).mode & 0o777, 0o700)
  t.equal((await readKeyEncryptionKeys(path))?.length, 1)
  t.same(readdirSync(dirname(path)), ['kek'], 'and nothing is left beside it')
})

t.test('a file that is there is never replaced', async (t) => {
  const path = written(t, `mine:${key}\n`)
  await createKeyEncryptionKeyFile(path, random)
  t.equal(readFileSync(path, 'utf8'), `mine:${key}\n`)
  t.same(readdirSync(dirname(path)), ['kek'])
})

t.test('of many that create the file at once, one wins, and all read its key', async (t) => {
  const path = join(t.testdir(), 'kek')
  const ids = await Promise.all(
    Array.from({ length: 16 }, async () => {
      await createKeyEncryptionKeyFile(path, random)
      return (await readKeyEncryptionKeys(path))?.map(({ kek_id, key }) => kek_id + key.export().toString('hex'))
    }),
  )
  t.equal(new Set(ids.flat()).size, 1)
})

t.test('there is no file: undefined, and nothing is made', async (t) => {
  const path = join(t.testdir(), 'kek')
  t.equal(await readKeyEncryptionKeys(path), undefined)
  t.same(readdirSync(dirname(path)), [])
})

t.test('a place where no file can be made is refused with what to do', async (t) => {
  const path = join(written(t, ''), 'kek')
  await t.rejects(createKeyEncryptionKeyFile(path, random), {
    name: 'VaultError',
    message: /Let the server's user write/,
  })
})

t.test('the first key is the active one; comments and empty lines mean nothing', async (t) => {
  const path = written(t, `# a comment\n\n  new:${key}  \r\n#no:${key}\nold:${other}`)
  const keks = await readKeyEncryptionKeys(path)
  t.same(
    keks?.map(({ kek_id, key }) => [kek_id, key.export().toString('base64')]),
    [
      ['new', key],
      ['old', other],
    ],
  )
})

t.test('a file that others may read or write is refused, with the command that mends it', async (t) => {
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644, 0o660, 0o666, 0o700, 0o440]) {
    const path = written(t, `mine:${key}`, mode)
    const message = new RegExp(`mode 0${mode.toString(8)}.*chmod 600 ${path}`)
    await t.rejects(readKeyEncryptionKeys(path), { name: 'VaultError', message }, mode.toString(8))
  }
  for (const mode of [0o600, 0o400]) t.ok(await readKeyEncryptionKeys(written(t, `mine:${key}`, mode)))
})

t.test('a secret mount is a symbolic link: the mode of what it leads to counts', async (t) => {
  const path = join(t.testdir(), 'link')
  const target = `${path}.target`
  writeFileSync(target, `mine:${key}`, { mode: 0o600 })
  symlinkSync(target, path)
  t.ok(await readKeyEncryptionKeys(path))
  chmodSync(target, 0o644)
  await t.rejects(readKeyEncryptionKeys(path), { name: 'VaultError' })
})

t.test('a damaged file is refused, naming the line and never the key', async (t) => {
  const short = Buffer.alloc(31, 1).toString('base64')
  const damaged = [
    `mine:${key}\nmine:${other}`,
    `a:${key}\nb:${short}`,
    `a:${key}\n${key}`,
    `a:${key}\nb.c:${other}`,
    `a:${key}\n:${other}`,
    `a:${key}\nb:${other.replace('=', '')}`,
    `a:${key}\nb:${other} # not a comment`,
    `a:${key}\nb`,
  ]
  for (const text of damaged) {
    const refusal = await readKeyEncryptionKeys(written(t, text)).catch((error: unknown) => error)
    t.match(refusal, { name: 'VaultError', message: /kek, line 2: / }, text)
    t.notOk(String(refusal).includes(key) || String(refusal).includes(other))
  }
  for (const text of ['', '# nothing\n', 'x'.repeat(70_000)]) {
    await t.rejects(readKeyEncryptionKeys(written(t, text)), { name: 'VaultError' })
  }
})

t.test('a directory in its place is refused', async (t) => {
  const path = join(t.testdir(), 'kek')
  mkdirSync(path, { mode: 0o600 })
  await t.rejects(readKeyEncryptionKeys(path), { name: 'VaultError', message: /is no key-encryption key file/ })
})
