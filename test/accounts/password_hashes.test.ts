import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import argon2 from 'argon2'
import fc from 'fast-check'
import t from 'tap'
import { hashArgon2id } from '../../server/accounts/password_hashes/argon2.ts'
import { passwordHashFormat } from '../../server/accounts/password_hashes/index.ts'

/** Made by the real thing: Django 5.2, argon2-cffi, bcrypt, passlib, libxcrypt, better-auth's function; or published. */
interface Vector {
  readonly made_by: string
  readonly password: string
  readonly stored: string
}
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('password_hash_vectors.json', import.meta.url), 'utf8'),
)
const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
const TAG = 'A'.repeat(43)
const phc = (parameters: string, salt = SALT, tag = TAG) => `$argon2id$v=19$${parameters}$${salt}$${tag}`

for (const { made_by, password, stored } of vectors) {
  t.test(`${made_by}: the password is right, and only it`, async (t) => {
    const format = passwordHashFormat(stored)
    t.ok(format, 'the form is known')
    t.equal(await format?.verify(stored, password), true)
    t.equal(await format?.verify(stored, `${password.slice(0, 8)}?`), false)
    t.equal(await format?.verify(stored, `?${password.slice(1)}`), false)
    const spoilt = stored.replace(/[a-zA-Z\d](?=[^a-zA-Z\d]*$|.{4}$)/, (character) => (character === '7' ? '8' : '7'))
    t.not(spoilt, stored)
    const other = passwordHashFormat(spoilt)
    t.not(await other?.verify(spoilt, password), true, 'another hash is of another password')
    t.equal(passwordHashFormat(`${stored}\n`), undefined, 'nor is a line break part of it')
    t.equal(passwordHashFormat(` ${stored}`), undefined)
    t.ok(format?.needsRehash(stored, { memory_kib: 19_456, time_cost: 2, parallelism: 1 }), 'and is to be replaced')
  })
}

t.test('PHC string format: argon2 hashes within bounds are accepted', async (t) => {
  t.ok(passwordHashFormat(phc('m=19456,t=2,p=1')))
  t.ok(passwordHashFormat(phc('m=262144,t=10,p=8')), 'the most that a hash may cost')
  t.ok(passwordHashFormat(phc('m=8,t=1,p=1')), 'the least that argon2 knows')
  t.ok(passwordHashFormat(phc('m=65536,p=4,t=3')), 'the order of the npm package argon2')
  t.ok(passwordHashFormat(`argon2${phc('m=102400,t=2,p=8')}`), 'what Django makes by default')
})

t.test('what would cost too much, is no hash or is not well-formed is refused unread', async (t) => {
  const bcrypt = (cost: string) => `$2b$${cost}$${'a'.repeat(53)}`
  const django = (iterations: string) => `pbkdf2_sha256$${iterations}$salt$${'A'.repeat(43)}=`
  const scrypt = (n: string, r: string, p: string) => `scrypt$${n}$salt$${r}$${p}$${'A'.repeat(86)}==`
  const refused = [
    '',
    '$argon2id$',
    phc('m=262145,t=1,p=1'),
    phc('m=4294967295,t=1,p=1'),
    phc('m=19456,t=11,p=1'),
    phc('m=19456,t=2,p=9'),
    phc('m=15,t=2,p=2'),
    phc('m=0,t=1,p=1'),
    phc('m=19456,t=0,p=1'),
    phc('m=019456,t=2,p=1'),
    phc('m=19456,t=2,p=1,data=AAAA'),
    phc('m=19456,t=2'),
    phc('m=19456,m=19456,p=1'),
    phc('m=19456,t=2,p=1', 'c2FsdA'),
    phc('m=19456,t=2,p=1', SALT, 'A'.repeat(20)),
    phc('m=19456,t=2,p=1', SALT, 'A'.repeat(45)),
    phc('m=19456,t=2,p=1', SALT, `${TAG}=`),
    phc('m=19456,t=2,p=1').replace('v=19', 'v=17'),
    `argon2${phc('m=262145,t=1,p=1')}`,
    `argon2argon2${phc('m=19456,t=2,p=1')}`,
    bcrypt('15'),
    bcrypt('03'),
    bcrypt('4'),
    bcrypt('99'),
    bcrypt('10').replace('2b', '2x'),
    `bcrypt$${bcrypt('15')}`,
    `bcrypt_sha256$${bcrypt('31')}`,
    `bcrypt_md5$${bcrypt('10')}`,
    django('2000001'),
    django('0'),
    django('-1'),
    django('1e3'),
    'pbkdf2_md5$1000$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAA=',
    `pbkdf2_sha256$1000$$${'A'.repeat(43)}=`,
    `$pbkdf2-sha256$2000001$${SALT}$${TAG}`,
    `$pbkdf2-sha256$i=1000,l=64$${SALT}$${TAG}`,
    `$pbkdf2-sha256$1000$${SALT}$AAAA`,
    scrypt('16384', '17', '16'),
    scrypt('4194304', '8', '1'),
    scrypt('16383', '8', '1'),
    scrypt('1', '8', '1'),
    scrypt('16384', '8', '17'),
    `$scrypt$ln=20,r=8,p=1$${SALT}$${TAG}`,
    `$scrypt$ln=14,r=8,p=99$${SALT}$${TAG}`,
    `$scrypt$ln=14,r=8,p=1$${SALT}$AA`,
    `$fbscrypt$v=1,n=20,r=8,p=1,ss=Bw==,sk=${'A'.repeat(86)}==$${'A'.repeat(8)}$${'A'.repeat(86)}==`,
    `$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$AAAA`,
    `$5$rounds=1000001$salt$${'a'.repeat(43)}`,
    `$6$salt$${'a'.repeat(85)}`,
    `$1$salt$${'a'.repeat(22)}`,
    `${'a'.repeat(32)}:${'a'.repeat(127)}`,
    `${'A'.repeat(32)}:${'a'.repeat(128)}`,
    'md5$salt$9b8ee1a4ee2f3a2f0ac6e05c8f1bda2c',
    'sha1$salt$9b8ee1a4ee2f3a2f0ac6e05c8f1bda2caaaaaaaa',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    'plain text',
  ]
  for (const stored of refused) t.equal(passwordHashFormat(stored), undefined, stored)
})

t.test('an accepted string can always be checked: no text makes argon2 throw', async () => {
  const base64 = fc.stringMatching(/^[A-Za-z\d+/]{8,70}$/)
  const maybe = fc.tuple(fc.constantFrom('m=8,t=1,p=1', 'm=16,p=2,t=1', 'm=8,t=1', 'm=8,t=1,p=2'), base64, base64)
  await fc.assert(
    fc.asyncProperty(maybe, async ([parameters, salt, tag]) => {
      const stored = phc(parameters, salt, tag)
      const format = passwordHashFormat(stored)
      return format === undefined || !(await format.verify(stored, 'x'))
    }),
    { numRuns: 200 },
  )
})

t.test('nor does any text of another form make its function throw', async (t) => {
  const text = fc.oneof(
    fc.stringMatching(/^[A-Za-z\d+/=.]{0,90}$/),
    fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  )
  const number = fc.constantFrom('1', '2', '4', '16', '1000', '1001')
  const maybe = fc.oneof(
    fc
      .tuple(number, text, number, number, text)
      .map(([n, salt, r, p, hash]) => `scrypt$${n}$${salt}$${r}$${p}$${hash}`),
    fc.tuple(number, text, text).map(([n, salt, hash]) => `$pbkdf2-sha512$${n}$${salt}$${hash}`),
    fc.tuple(number, text, text).map(([n, salt, hash]) => `pbkdf2_sha1$${n}$${salt}$${hash}`),
    fc.tuple(fc.constantFrom('1', '4', '10'), text, text).map(([n, s, hash]) => `$scrypt$ln=${n},r=8,p=1$${s}$${hash}`),
    fc
      .tuple(text, text)
      .map(([salt, hash]) => `$fbscrypt$v=1,n=4,r=8,p=1,ss=Bw==,sk=${'A'.repeat(43)}=$${salt}$${hash}`),
    fc.tuple(text, text).map(([salt, hash]) => `$5$rounds=1000$${salt.slice(0, 16)}$${hash.slice(0, 43)}`),
  )
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(maybe, async (stored) => {
      const format = passwordHashFormat(stored)
      if (format !== undefined) accepted += 1
      return format === undefined || !(await format.verify(stored, 'x'))
    }),
    { numRuns: 500 },
  )
  t.ok(accepted > 0, 'some were')
})

t.test('RFC 9106 §3.1: a hash is bound to password, salt and cost', async (t) => {
  const cost = { memory_kib: 32, time_cost: 3, parallelism: 4 }
  const made = await hashArgon2id('password', Buffer.from('somesalt'.repeat(2)), cost)
  const theirs = await argon2.hash('password', {
    memoryCost: 32,
    timeCost: 3,
    parallelism: 4,
    hashLength: 32,
    salt: Buffer.from('somesalt'.repeat(2)),
  })
  t.equal(made.split('$').at(-1), theirs.split('$').at(-1))
  t.notOk(passwordHashFormat(made)?.needsRehash(made, cost))
  t.ok(passwordHashFormat(made)?.needsRehash(made, { ...cost, time_cost: 2 }))
  t.notOk(passwordHashFormat(made)?.isForeign(made))
})

t.test('bcrypt counts the first 72 bytes, as where the hash was made; bcrypt_sha256 counts them all', async (t) => {
  const cut = vectors.find(({ made_by }) => made_by.startsWith('bcrypt 5, 72 bytes'))
  const format = passwordHashFormat(cut?.stored ?? '')
  t.equal(await format?.verify(cut?.stored ?? '', `${cut?.password}and more`), true)
  t.equal(await format?.verify(cut?.stored ?? '', `${cut?.password.slice(0, 71)}`), false)
  const whole = vectors.find(({ made_by }) => made_by.includes('BCryptSHA256'))
  const long = passwordHashFormat(whole?.stored ?? '')
  t.equal(await long?.verify(whole?.stored ?? '', `${whole?.password}${'x'.repeat(72)}`), false)
})

t.test('SHA-crypt takes no password over 256 bytes, whose cost would be without end', async (t) => {
  const { stored } = vectors.find(({ stored }) => stored.startsWith('$6$')) ?? { stored: '' }
  const began = performance.now()
  t.equal(await passwordHashFormat(stored)?.verify(stored, 'a'.repeat(1024)), false)
  t.ok(performance.now() - began < 2_000)
})

t.test('a hash function in JavaScript does not hold the event loop', async (t) => {
  const stored = `$2b$12$${'a'.repeat(53)}`
  await passwordHashFormat(stored)?.verify(`$2b$04$${'a'.repeat(53)}`, 'start the thread')
  let longest = 0
  let done = false
  const watch = async () => {
    for (let last = performance.now(); !done; last = performance.now()) {
      await sleep(1)
      longest = Math.max(longest, performance.now() - last)
    }
  }
  const watched = watch()
  const began = performance.now()
  await passwordHashFormat(stored)?.verify(stored, 'password')
  const took = performance.now() - began
  done = true
  await watched
  t.ok(took > 50, `it took ${took} ms`)
  t.ok(longest < took / 2, `the loop was away for ${longest} of ${took} ms`)
})
