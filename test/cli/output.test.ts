import t from 'tap'
import { decodeToken, explainToken } from '../../server/cli/decode.ts'
import { count, details, instant, printable, table } from '../../server/cli/output.ts'

t.test('no control character of a stored text reaches the terminal', async (t) => {
  t.equal(printable('a\u001b[31mb\r\nc\u202ed'), 'a\\u001b[31mb\\u000d\\u000ac\\u202ed')
  t.equal(printable('Zoë 日本'), 'Zoë 日本', 'letters do')
  t.notMatch(table([{ name: '\u001b]0;x\u0007' }], { name: 'name' }), /\p{Cc}(?<!\n)/u)
})

t.test('a table has a heading and aligned columns; absent values are a dash', async (t) => {
  const rows = [
    { username: 'alice', roles: ['admin', 'staff'] },
    { username: 'bo', roles: [], extra: 1 },
  ]
  t.equal(table(rows, { username: 'username', roles: 'roles' }), 'USERNAME  ROLES\nalice     admin staff\nbo        –')
})

t.test('instants are shown as dates, other numbers as they are', async (t) => {
  t.equal(
    details({ at: 0, created_at: 1_800_000_000, removed_at: null, generation: 1_800_000_000 }),
    ['at          1970-01-01 00:00:00Z', 'created_at  2027-01-15 08:00:00Z', 'generation  1800000000'].join('\n'),
  )
  t.equal(instant(Number.MAX_SAFE_INTEGER), String(Number.MAX_SAFE_INTEGER), 'one beyond the calendar, too')
  t.same([count(0, 'grant'), count(1, 'grant')], ['0 grants', '1 grant'])
})

t.test('a token is decoded and explained; what is none is not', async (t) => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const decoded = decodeToken(`${part({ alg: 'RS256' })}.${part({ exp: 0, sub: 'x', odd: '\u001b' })}.c2ln`)
  t.ok(decoded)
  t.match(
    decoded && explainToken(decoded, 60),
    /alg +RS256 +how it is signed[\s\S]*exp +0 \(1970-01-01 00:00:00Z, 1 min ago\) +refused from then on/,
  )
  t.notMatch(decoded && explainToken(decoded, 0), '\u001b')
  for (const token of ['', 'a.b.c', `${part({})}`, `${part([])}.${part(1)}.`]) t.equal(decodeToken(token), undefined)
})
