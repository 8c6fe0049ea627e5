import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { decodeToken, explainedMembers, relative } from '../../server/cli/decode.ts'
import { warningsAbout } from '../../server/cli/token_check.ts'
import { membersOf } from '../../server/cli/token_members.ts'
import { runInProcess } from '../helpers/cli.ts'
import { startServer } from '../helpers/process.ts'

const PASSWORD = 'wander kettle plinth 4'
const NOW = 1_800_000_000
const server = await startServer(t)
const { env } = server
const run = (args: string[], input = '') => runInProcess(args, env, input)
const decode = (input: string, ...more: string[]) => run(['token', '--decode', ...more], input)
const decodedAs = async (input: string) => JSON.parse((await decode(input, '--json')).stdout)

await run(['apply', '-f', '-'], JSON.stringify({ users: [{ username: 'alice', password: PASSWORD }] }))
const obtained = await run(['token', '--username', 'alice', '--password-stdin'], PASSWORD)
const token = obtained.stdout.trim()
const [header = '', payload = '', signature = ''] = token.split('.')

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())

t.test(
  'a token that is piped in is explained: each member, its class, its specification, and the signature',
  async (t) => {
    const { code, stdout } = await decode(token)
    t.equal(code, 0)
    t.match(stdout, /^Header\n {2}alg +RS256 +how it is signed +RFC 7515 §4\.1\.1, registered\n/)
    t.match(
      stdout,
      /\n {2}exp +\d+ \(20\d\d-.*Z, in \d+ min( \d+ s)?\) +refused from then on +RFC 7519 §4\.1\.4, registered\n/,
    )
    t.match(stdout, /\n {2}grant_id .* private\n/)
    t.match(stdout, /\nSignature {2}verified \(RS256\), with the key [\w-]{43} of the issuer\n/)
    t.notMatch(stdout, 'Warning', 'there is nothing to say against it')
    for (const name of Object.keys(claims)) t.match(stdout, new RegExp(`\n  ${name} `), name)
    t.equal(
      (await run(['token', '-', '--decode'], token)).stdout.split('\n').length,
      stdout.split('\n').length,
      'with -',
    )
  },
)

t.test('it is found in a header and in an answer, too', async (t) => {
  for (const input of [
    `Bearer ${token}`,
    `authorization: DPoP ${token}\n`,
    JSON.stringify({ access: token, refresh: 'x' }),
  ]) {
    t.match(
      await decodedAs(input),
      { decoded: { payload: claims }, signature: { outcome: 'verified' } },
      input.slice(0, 20),
    )
  }
})

t.test('RFC 8725 §3.1: what does not verify is said to be wrong, and why', async (t) => {
  const altered = encode({ ...claims, sub: 'somebody else' })
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const signed = (head: unknown) => {
    const input = `${encode(head)}.${payload}`
    return `${input}.${sign('sha256', Buffer.from(input), stranger).toString('base64url')}`
  }
  const real = JSON.parse(Buffer.from(header, 'base64url').toString())
  const wrong: [string, string, RegExp][] = [
    ['other claims', `${header}.${altered}.${signature}`, /signature verification failed/],
    ['another key under this kid', signed(real), /signature verification failed/],
    ['a kid that nobody publishes', signed({ ...real, kid: 'x' }), /publishes no key of this kid/],
    [
      'a key that it brings along',
      signed({ ...real, kid: undefined, jwk: stranger.export({ format: 'jwk' }) }),
      /no key of/,
    ],
    ['no signature', `${encode({ ...real, alg: 'none' })}.${payload}.`, /./],
    ['a shared secret', `${encode({ ...real, alg: 'HS256' })}.${payload}.${signature}`, /./],
  ]
  for (const [what, text, reason] of wrong)
    t.match((await decodedAs(text)).signature, { outcome: 'refused', reason }, what)
  t.match((await decode(`${header}.${altered}.${signature}`)).stdout, /\nSignature {2}WRONG: /)
})

t.test('no address in a token is called: of another issuer nothing is checked', async (t) => {
  const other = `${header}.${encode({ ...claims, iss: 'https://other.example' })}.${signature}`
  const reason = /https:\/\/other\.example issued it; asked was http:\/\/localhost/
  t.match((await decodedAs(other)).signature, { outcome: 'not_checked', reason })
  t.match((await decodedAs(`${header}.${encode({})}.x`)).signature, {
    outcome: 'not_checked',
    reason: /names no issuer/,
  })
  const gone = { ...env, GATEHOUSE_ISSUER: 'http://localhost:1', GATEHOUSE_PORT: '1' }
  const unreachable = `${header}.${encode({ ...claims, iss: 'http://localhost:1' })}.${signature}`
  const { stdout } = await runInProcess(['token', '--decode', '--json'], gone, unreachable)
  t.match(JSON.parse(stdout).signature, { outcome: 'not_checked', reason: /No answer from http:\/\/localhost:1/ })
})

t.test('what is no JWT is refused, in words', async (t) => {
  const refused: [string, RegExp][] = [
    ['', /Standard input is empty/],
    ['gth_rt_abc', /says nothing to anybody but the server/],
    ['a.b.c.d.e', /encrypted/],
    ['garbage', /three parts/],
    [`${encode([])}.${encode(1)}.x`, /three parts/],
  ]
  for (const [input, stderr] of refused) t.match(await decode(input), { code: 1, stdout: '', stderr }, input)
  t.match(await run(['token', token, '--decode']), { code: 2, stderr: /Others on this machine can read arguments/ })
  t.match(await run(['token', '-'], token), { code: 2 })
  t.match(await run(['token', '-', '--decode', '--username', 'alice'], token), { code: 2 })
  t.match(await run(['token'], token), { code: 2, stderr: /Whose token/ })
  t.equal((await decode('x'.repeat(70_000))).code, 2, 'nor one without end')
})

t.test('no control character of a token reaches the terminal', async (t) => {
  const odd = `${encode({ alg: '\u001b[2J' })}.${encode({ '\u0007': '\u001b]0;x', iss: '\u001b' })}.x`
  const { stdout } = await decode(odd)
  t.notMatch(stdout, /(?!\n)\p{Cc}/u)
})

t.test('RFC 7519 §4: registered names, public ones, private ones', async (t) => {
  const classes = (record: object) => membersOf('payload', { ...record }).map(({ name_class }) => name_class)
  t.same(classes({ iss: 1, cnf: 1, scope: 1, email: 1, groups: 1 }), Array(5).fill('registered'))
  t.same(classes({ 'https://hasura.io/jwt/claims': {}, 'urn:x:y': 1 }), ['public', 'public'])
  t.same(classes({ grant_id: 1, anything: 1, constructor: 1, toString: 1 }), Array(4).fill('private'))
  t.match(membersOf('header', { exp: 1 }), [{ name_class: 'private' }], 'a claim in the header is none')
})

t.test('instants are said as a person would', async (t) => {
  const said = [0, 1, 59, 60, 252, 3600, 3660, 90_000, 86_400, 200 * 86_400 + 3600, -252, -1]
  t.same(
    said.map((seconds) => relative(NOW + seconds, NOW)),
    ['now', 'in 1 s', 'in 59 s', 'in 1 min', 'in 4 min 12 s', 'in 1 h', 'in 1 h 1 min', 'in 1 d 1 h', 'in 1 d'].concat([
      'in 200 d 1 h',
      '4 min 12 s ago',
      '1 s ago',
    ]),
  )
  const odd = { header: {}, payload: { exp: '1', iat: null, nbf: Number.MAX_VALUE, auth_time: 1.5 } }
  t.same(
    explainedMembers(odd, NOW).map(({ at }) => typeof at),
    ['undefined', 'undefined', 'string', 'string'],
  )
})

t.test('what speaks against a token is said', async (t) => {
  const good = { iss: 'x', aud: 'y', iat: NOW, exp: NOW + 60, token_type: 'access' }
  const about = (head: object, body: object) => {
    const made = `${encode({ alg: 'RS256', typ: 'at+jwt', ...head })}.${encode({ ...good, ...body })}.x`
    const decoded = decodeToken(made)
    return decoded === undefined ? ['no JWT'] : warningsAbout(made, decoded, NOW)
  }
  t.same(about({}, {}), [])
  t.same(about({ typ: 'application/at+jwt' }, {}), [], 'RFC 7515 §4.1.9: the long form')
  const cases: [object, object, RegExp][] = [
    [{}, { exp: NOW }, /^it has expired, now/],
    [{}, { exp: NOW - 252 }, /^it has expired, 4 min 12 s ago/],
    [{}, { exp: undefined }, /never expires/],
    [{}, { nbf: NOW + 5 }, /not valid yet: in 5 s/],
    [{}, { iat: NOW + 61 }, /from the future/],
    [{}, { aud: undefined }, /no aud/],
    [{ typ: 'JWT' }, {}, /typ is not at\+jwt: verifiers/],
    [{ typ: undefined }, { token_type: undefined }, /does not say that it is an access token/],
    [{ typ: 'JWT' }, { token_type: undefined, at_hash: 'x' }, /an ID token/],
    [{ typ: 'logout+jwt' }, {}, /a logout token/],
    [{ typ: 'constructor' }, { token_type: undefined }, /does not say/],
    [{ alg: 'none' }, {}, /nobody has signed it/],
    [{ alg: 'HS256' }, {}, /shared secret/],
    [{ crit: ['x'] }, {}, /crit/],
    [{ jku: 'https://evil.example' }, {}, /its own key/],
    [{}, { padding: 'x'.repeat(4000) }, /bytes: many proxies/],
  ]
  for (const [head, body, warning] of cases) {
    const warnings = about(head, body)
    t.equal(warnings.length, 1, JSON.stringify([head, body]).slice(0, 80))
    t.match(warnings[0], warning)
  }
})
