import fc from 'fast-check'
import t from 'tap'
import { commonPasswords } from '../../server/accounts/common_passwords.ts'
import { checkNewPassword, describePasswordProblem, normalizePassword } from '../../server/accounts/password_policy.ts'

const context = { username: 'alice', email: 'a.liddell@example.com', min_length: 15, common: await commonPasswords() }
const check = (password: string, about: Partial<typeof context> = {}) =>
  checkNewPassword(password, { ...context, ...about })

t.test('NIST SP 800-63B-4 §3.1.1.2: at least 15 characters, each code point being one', async (t) => {
  t.equal(check('wondrous tea p'), 'too_short')
  t.equal(check('wondrous tea pa'), 'ok')
  t.equal(check('🍎🍏🍐🍊🍋🍌🍉🍇🍓🫐🍈🍒🍑🥭'), 'too_short', '14 of them, in 28 UTF-16 units')
  t.equal(check('🍎🍏🍐🍊🍋🍌🍉🍇🍓🫐🍈🍒🍑🥭🍍'), 'ok')
  t.equal(check(`${'e\u0301'.repeat(3)}x wonderful`), 'too_short', 'counted after NFC')
  t.equal(check('sunshine', { min_length: 8 }), 'common', 'a shorter minimum does not make common words good')
  t.equal(check('w0ndr0us', { min_length: 8 }), 'ok')
})

t.test('NIST SP 800-63B-4 §3.1.1.2: no composition rules; spaces and every script are welcome', async (t) => {
  for (const password of [
    'correct horse battery staple',
    'größere Öfen für Äpfel',
    '正しい馬のホッチキスと電池がここにある',
    '               x y',
  ]) {
    t.equal(check(password), 'ok', password)
  }
})

t.test('at most 1,024 bytes after NFC, and never cut', async (t) => {
  const long = 'a wondrous tea party '.repeat(60)
  t.equal(check(long.slice(0, 1024)), 'ok')
  t.equal(check(long.slice(0, 1025)), 'too_long')
  t.equal(check(`é${long}`.slice(0, 1024)), 'too_long', 'bytes, not characters')
  t.equal(check(`${'e\u0301'.repeat(400)} tea party`), 'ok', '812 bytes when composed, 1,212 before')
  t.equal(check('x'.repeat(10_000_000)), 'too_long')
})

t.test('unpaired surrogates are refused, and so are control characters', async (t) => {
  t.equal(check('a wondrous tea \ud83c party'), 'malformed')
  t.equal(check('a wondrous tea party\n'), 'control_character', 'the last line of a file')
  t.equal(check('a wondrous tea\0 party'), 'control_character')
  t.equal(check('a wondrous tea 🎉 party'), 'ok')
})

t.test('NIST SP 800-63B-4 §3.1.1.2: what is commonly used is refused, also dressed up', async (t) => {
  const common = [
    'qwertyuiop12345',
    '1qaz2wsx3edc4rfv',
    'PasswordPassword',
    'Password2026!!!',
    'DRAGON 123456789',
    'ＰＡＳＳＷＯＲＤ１２３４５６７',
    'sunshine.......',
    'aaaaaaaaaaaaaaaa',
    '1234512345123451234512345',
    'iloveyouiloveyou',
    '12345678900987654321',
  ]
  for (const password of common) t.equal(check(password), 'common', password)
  for (const password of ['dragon eats 2026 sheep', 'my sunshine lamp 7', 'tea party, tea time'])
    t.equal(check(password), 'ok', password)
})

t.test('ASVS 5 §6.2.11: no password contains the name of its owner or of the product', async (t) => {
  t.equal(check('a party for ALICE today'), 'contains_identifier')
  t.equal(check('tea with A.Liddell at five'), 'contains_identifier')
  t.equal(check('a party for bob today'), 'ok')
  t.equal(check('a party for bob today', { username: 'Bob' }), 'contains_identifier')
  t.equal(
    check('a party for bo today', { username: 'bo', email: 'x@example.com' }),
    'ok',
    'two letters turn up anywhere',
  )
  t.equal(check('example.com is a website', { username: 'carol@example.com' }), 'ok', 'only what is before the @')
  t.equal(check('my carol is a singer', { username: 'carol@example.com' }), 'contains_identifier')
  t.equal(check('open the GateHouse door'), 'contains_product_name')
  t.equal(check('open the gate of the house'), 'ok')
})

t.test('each problem has a sentence for a person', async (t) => {
  const problems = [
    'malformed',
    'control_character',
    'too_short',
    'too_long',
    'common',
    'contains_identifier',
    'contains_product_name',
  ] as const
  const sentences = problems.map((problem) => describePasswordProblem(problem, 15))
  for (const sentence of sentences) t.match(sentence, /^This password .+\.$/)
  t.equal(new Set(sentences).size, problems.length)
  t.match(describePasswordProblem('too_short', 8), /at least 8 characters/)
})

t.test('normalizePassword gives NFC of at most 1,024 bytes or nothing, and is stable', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ unit: 'grapheme', maxLength: 400 }))
  fc.assert(
    fc.property(text, (password) => {
      const normalized = normalizePassword(password)
      if (normalized === undefined)
        return !password.isWellFormed() || Buffer.byteLength(password.normalize('NFC')) > 1024
      return (
        normalized === password.normalize('NFC') &&
        normalizePassword(normalized) === normalized &&
        normalizePassword(password.normalize('NFD')) === normalized &&
        Buffer.byteLength(normalized) <= 1024
      )
    }),
  )
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      (a, b) => normalizePassword(`${a}\ud800${b}`) === undefined || /^[\udc00-\udfff]/.test(b),
    ),
  )
})

t.test('hostile passwords are judged quickly', async (t) => {
  const started = performance.now()
  for (const password of [
    `${'a'.repeat(1023)}b`,
    `${'1'.repeat(1023)}a`,
    `${'ab'.repeat(511)}c`,
    `a${'\u0301\u0316'.repeat(50_000)}`,
    `${'!'.repeat(500)}x${'!'.repeat(500)}x`,
  ])
    check(password)
  t.ok(performance.now() - started < 200)
})
