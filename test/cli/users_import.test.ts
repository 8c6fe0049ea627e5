import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { jsonItems } from '../../server/cli/import/json_items.ts'
import { runInProcess } from '../helpers/cli.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const directory = temporaryDirectory(t)
const env = { GATEHOUSE_DATA_DIR: directory }
const HASH = 'pbkdf2_sha256$1000$seasalt2seasalt2$FtichNAr9+78fkfzyJkcyPF7KcD0CiLgJp9hu/nPO/s='
const run = (args: string[], input = '') => runInProcess(args, env, input)
// What makes an installation.
await run(['setup-link'])
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text)
  return name
}
const jsonLines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** @returns the summary, and the rows that did not come in */
async function bring(t: Test, name: string, args: string[] = [], code = 0) {
  const errors = join(directory, 'errors.jsonl')
  const result = await run(['users', 'import', name, '--errors', errors, '--json', ...args])
  t.equal(result.code, code, result.stderr)
  const problems = readFileSync(errors, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { summary: JSON.parse(result.stdout), problems }
}
const show = async (name: string) => JSON.parse((await run(['users', 'show', name, '--json'])).stdout)

t.test('an import makes no installation by the way', async (t) => {
  const nowhere = { GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
  t.match(await runInProcess(['users', 'import', '-'], nowhere, 'username\nx\n'), { code: 3 })
})

t.test('JSON lines: dry run, then in, then nothing to do; what is wrong is written down by row', async (t) => {
  const rows = [
    { username: 'ann', email: 'ann@example.com', email_verified: true, given_name: 'Ann', password_hash: HASH },
    {
      username: 'ben',
      legacy_user_id: 12,
      roles: ['staff', 'x'],
      disabled: true,
      created_at: '2019-05-06T07:08:09.5Z',
    },
    { username: 'cat', email: 'nowhere', password_hash: 'md5$a$b' },
    { name: 'Nobody' },
  ]
  const name = file('users.jsonl', `${jsonLines(rows)}not json\n\n`)
  const counts = { rows: 5, created: 2, refused: 3, unchanged: 0, conflict: 0 }
  t.match((await bring(t, name, ['--dry-run'], 1)).summary, { ...counts, dry_run: true })
  t.match(await run(['users', 'list']), { stdout: 'None.\n' })
  const { summary, problems } = await bring(t, name, [], 1)
  t.match(summary, counts)
  t.same(
    problems.map(({ row, username, errors }) => [row, username, errors.map(({ field }: { field: string }) => field)]),
    [
      [4, undefined, ['username']],
      [5, undefined, ['']],
      [3, 'cat', ['email', 'password_hash']],
    ],
  )
  t.notMatch(JSON.stringify(problems), /md5/, 'nothing of a hash')
  t.match(await show('ann'), { email_verified: true, has_password: true, profile: { given_name: 'Ann' } })
  t.match(await show('ben'), {
    legacy_user_id: '12',
    roles: ['staff', 'x'],
    created_at: 1557126489,
    has_password: false,
  })
  t.not((await show('ben')).disabled_at, null)
  t.match((await bring(t, name, [], 1)).summary, { ...counts, created: 0, unchanged: 2 })
})

t.test(
  'CSV: columns by name, in any order and with any delimiter; mapped, and a short line is one bad row',
  async (t) => {
    const rows = [
      'login;mail;email_verified;roles;disabled;pass;created_at;note',
      `"dan ""d"" o'hara";dan@example.com;yes;"a, b";0;${HASH};1577836800;x`,
      'eve;eve@example.com;maybe;;;;;',
      'too;few',
      'fay;;;;true;;;',
    ]
    const name = file('users.csv', `\uFEFF${rows.join('\r\n')}\r\n`)
    const map = ['--map', 'username=login', '--map', 'email=mail', '--map', 'password_hash=pass']
    const { summary, problems } = await bring(t, name, map, 1)
    t.match(summary, { rows: 4, created: 2, refused: 2 })
    t.match(problems, [
      { row: 2, errors: [{ field: 'email_verified' }] },
      { row: 3, outcome: 'refused' },
    ])
    const roles = ['a', 'b']
    t.match(await show('dan@example.com'), {
      username: `dan "d" o'hara`,
      roles,
      has_password: true,
      created_at: 1577836800,
    })
    const shown = await run(['users', 'import', name, ...map])
    t.match(shown, { code: 1, stdout: /4 rows: 2 unchanged, 2 refused/, stderr: /Ignored: note/ })
    t.match(shown.stderr, /row 2 refused: email_verified/)
    const dropped = await bring(t, name, [...map, '--map', 'email_verified='], 1)
    t.match(dropped.summary, { created: 1, refused: 1, conflict: 0, unchanged: 2 }, 'a column can be left out')
  },
)

t.test('an account that is there and differs: fail, skip or update', async (t) => {
  const name = file('changed.jsonl', jsonLines([{ username: 'ANN', name: 'Ann Other' }]))
  const { summary, problems } = await bring(t, name, [], 4)
  t.match(summary, { conflict: 1 })
  t.match(problems, [{ row: 1, username: 'ANN', outcome: 'conflict' }])
  t.match((await bring(t, name, ['--on-conflict', 'skip'])).summary, { skipped: 1 })
  t.match((await bring(t, name, ['--on-conflict', 'update'])).summary, { updated: 1 })
  t.match(await show('ann'), { name: 'Ann Other', email: 'ann@example.com' })
})

t.test('what cannot be read ends the command, and says what is in', async (t) => {
  t.match(await run(['users', 'import', 'nothing.csv']), { code: 3, stderr: /nothing\.csv cannot be read/ })
  t.match(await run(['users', 'import', '.']), { code: 2, stderr: /no file/ })
  t.match(await run(['users', 'import', file('empty.csv', '')]), { code: 1, stderr: /holds no accounts/ })
  t.match(await run(['users', 'import', 'users.csv', '--format', 'guess']), { code: 2 })
  t.match(await run(['users', 'import', 'users.csv', '--map', 'x']), { code: 2 })
  t.match(await run(['users', 'import', 'users.csv', '--errors', 'no/such/folder']), { code: 2 })
  const cut = file(
    'cut.json',
    '{"realm": "x", "users": [{"username": "gil", "enabled": true, "credentials": []}, {"user',
  )
  t.match(await run(['users', 'import', cut]), { code: 1, stderr: /cannot be read any further/ })
  t.match(await show('gil'), { username: 'gil', disabled_at: null }, 'what came before it is in')
  writeFileSync(join(directory, 'latin1.csv'), Buffer.from('username\nj\xfcrgen\n', 'latin1'))
  t.match(await run(['users', 'import', 'latin1.csv']), { code: 1, stderr: /not UTF-8/ })
})

t.test('standard input is a file like any other', async (t) => {
  t.match(await run(['users', 'import', '-'], 'username,email\nhal,hal@example.com\n'), {
    code: 0,
    stdout: /1 created/,
  })
})

t.test('what was exported comes in again, with its hashes where that is asked for', async (t) => {
  const exported = await run(['users', 'export'])
  t.equal(exported.code, 0)
  t.notMatch(exported.stdout, /password_hash|pbkdf2/)
  t.match(await run(['users', 'export', '--with-password-hashes', '--output', 'out.jsonl']), { code: 0, stdout: '' })
  const written = readFileSync(join(directory, 'out.jsonl'), 'utf8')
  t.match(written, HASH)
  const elsewhere = { GATEHOUSE_DATA_DIR: temporaryDirectory(t) }
  const path = join(directory, 'out.jsonl')
  await runInProcess(['setup-link'], elsewhere)
  t.match(await runInProcess(['users', 'import', path], elsewhere), { code: 0 })
  const again = await runInProcess(['users', 'export', '--with-password-hashes'], elsewhere)
  const sorted = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .sort((a, b) => (a.username < b.username ? -1 : 1))
  t.same(sorted(again.stdout), sorted(written))
})

t.test('long work shows a line for each 5 %, and no more', async (t) => {
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ username: `mass${index}` }))
  const { code, stderr, stdout } = await run(['users', 'import', file('many.jsonl', jsonLines(rows))])
  t.match({ code, stdout }, { code: 0, stdout: /20000 rows: 20000 created/ })
  const lines = stderr.split('\n').filter((line) => line.includes('%'))
  t.ok(lines.length > 5 && lines.length <= 20, `${lines.length} lines`)
})

t.test('the items of a JSON array are the same however the text is cut', async () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('any')),
      fc.dictionary(fc.string(), tie('any')),
    ),
  })).any
  const item = fc.dictionary(fc.string(), value)
  await fc.assert(
    fc.asyncProperty(
      fc.array(item),
      value,
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      async (items, other, whole, pretty, size) => {
        const document = whole ? items : { first: other, deeper: { users: [{ no: 1 }] }, users: items, last: other }
        const text = JSON.stringify(document, null, pretty ? 2 : 0)
        async function* cut() {
          for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
        }
        const found: unknown[] = []
        for await (const one of jsonItems(cut(), whole ? undefined : 'users')) found.push(JSON.parse(one))
        return JSON.stringify(found) === JSON.stringify(items)
      },
    ),
    { numRuns: 300 },
  )
})
