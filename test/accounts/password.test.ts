import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import argon2 from 'argon2'
import t from 'tap'
import { createPasswordHasher, HasherBusy } from '../../server/accounts/password.ts'

const random = { bytes: (length: number) => randomBytes(length) }
const OWASP = { memory_kib: 19_456, time_cost: 2, parallelism: 1 }
const CHEAP = { memory_kib: 64, time_cost: 1, parallelism: 1 }
const LINE = { concurrency: 1, queue_length: 64, random }
const PASSWORD = 'plenty of small green apples'

t.test(
  'OWASP Password Storage: argon2id, m=19456, t=2, p=1, a 16-byte salt and a 32-byte tag, as a PHC string',
  async (t) => {
    const passwords = await createPasswordHasher({ ...OWASP, ...LINE })
    const hash = await passwords.hash(PASSWORD)
    t.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z\d+/]{22}\$[A-Za-z\d+/]{43}$/)
    t.ok(await argon2.verify(hash, PASSWORD), 'another reader of PHC strings agrees')
    t.strictSame(await passwords.verify(hash, PASSWORD), { valid: true, rehash: false })
    t.strictSame(await passwords.verify(hash, `${PASSWORD}!`), { valid: false, rehash: false })
    t.not(await passwords.hash(PASSWORD), hash, 'each hash has its own salt')
  },
)

t.test(
  'the parameters of a stored hash decide how it is checked; other ones than today’s are to be replaced',
  async (t) => {
    const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
    const others = [
      { memoryCost: 128 },
      { timeCost: 2 },
      { parallelism: 2 },
      { hashLength: 16 },
      { salt: Buffer.alloc(8, 1) },
    ]
    for (const other of others) {
      const older = await argon2.hash(PASSWORD, { memoryCost: 64, timeCost: 1, parallelism: 1, ...other })
      t.strictSame(await passwords.verify(older, PASSWORD), { valid: true, rehash: true }, older)
      t.strictSame(
        await passwords.verify(older, 'another'),
        { valid: false, rehash: false },
        'a wrong password replaces nothing',
      )
    }
    const today = await argon2.hash(PASSWORD, { memoryCost: 64, timeCost: 1, parallelism: 1 })
    t.strictSame(
      await passwords.verify(today, PASSWORD),
      { valid: true, rehash: false },
      'whatever the order of its parameters',
    )
  },
)

t.test('the same work whatever is stored: argon2 runs exactly once, with today’s cost for a decoy', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
  const hash = await passwords.hash(PASSWORD)
  const runs = t.capture(argon2, 'verify', argon2.verify)
  const cases: Record<string, [string | null, string]> = {
    'the right password': [hash, PASSWORD],
    'a wrong one': [hash, 'wrong'],
    nobody: [null, PASSWORD],
    'an unreadable hash': ['$argon2id$nonsense', PASSWORD],
    'a hash of an unknown format': [`$1$salt$${'a'.repeat(22)}`, PASSWORD],
    'a bcrypt hash that costs too much': [`$2b$15$${'a'.repeat(53)}`, PASSWORD],
    'a hash that costs too much': [hash.replace('m=64', 'm=262145'), PASSWORD],
    'an unpaired surrogate': [hash, '\ud800'],
    'an over-long password': [hash, 'a'.repeat(1025)],
    'an enormous one': [hash, 'a'.repeat(1_000_000)],
    'an empty one': [hash, ''],
  }
  for (const [name, [stored, password]] of Object.entries(cases)) {
    const { valid } = await passwords.verify(stored, password)
    const calls = runs()
    t.equal(calls.length, 1, name)
    t.match(calls[0]?.args[0], /^\$argon2id\$v=19\$m=64,t=1,p=1\$/, name)
    t.equal(valid, password === PASSWORD && stored === hash, name)
  }
})

t.test('once a foreign hash has been checked, every no takes as long; a yes does not', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
  const ours = await passwords.hash(PASSWORD)
  const foreign = `pbkdf2_sha256$200000$salt$${pbkdf2Sync(PASSWORD, 'salt', 200_000, 32, 'sha256').toString('base64')}`
  const timed = async (stored: string | null, password: string) => {
    const began = performance.now()
    await passwords.verify(stored, password)
    return performance.now() - began
  }
  const before = await timed(null, PASSWORD)
  t.strictSame(await passwords.verify(foreign, 'wrong'), { valid: false, rehash: false })
  t.strictSame(await passwords.verify(foreign, PASSWORD), { valid: true, rehash: true })
  const slow = await timed(foreign, 'wrong')
  t.ok(before < slow / 2, `the decoy alone took ${before} of ${slow} ms`)
  for (const [name, stored] of Object.entries({ nobody: null, 'one of ours': ours })) {
    const took = await timed(stored, 'wrong')
    t.ok(took > slow / 2 && took < slow * 4, `${name}: ${took} like ${slow} ms`)
  }
  t.ok((await timed(ours, PASSWORD)) < slow / 2, 'the right password need not wait')
})

t.test('a foreign hash is of what was typed, ours of its NFC: either is right', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
  const typed = 'cafe\u0301 au lait'
  const of = (password: string) =>
    `pbkdf2_sha256$1$salt$${pbkdf2Sync(password, 'salt', 1, 32, 'sha256').toString('base64')}`
  t.match(await passwords.verify(of(typed), typed), { valid: true })
  t.match(await passwords.verify(of(typed.normalize('NFC')), typed), { valid: true })
  t.match(await passwords.verify(of(typed), 'cafe au lait'), { valid: false })
})

t.test('nobody’s password is right, not even the decoy’s', async (t) => {
  const passwords = await createPasswordHasher({
    ...CHEAP,
    ...LINE,
    random: { bytes: (length) => new Uint8Array(length) },
  })
  t.strictSame(await passwords.verify(null, Buffer.alloc(32).toString('base64')), { valid: false, rehash: false })
})

t.test('RFC 8265 §4.2.2: one password, whether a keyboard composes its characters or not', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
  const hash = await passwords.hash('cafe\u0301 au lait le matin')
  t.strictSame(await passwords.verify(hash, 'caf\u00e9 au lait le matin'), { valid: true, rehash: false })
  t.strictSame(await passwords.verify(hash, 'cafe au lait le matin'), { valid: false, rehash: false }, 'accents count')
})

t.test('a NUL does not end a password', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
  const hash = await passwords.hash(`${PASSWORD}\0one`)
  t.strictSame(await passwords.verify(hash, `${PASSWORD}\0two`), { valid: false, rehash: false })
  t.strictSame(await passwords.verify(hash, PASSWORD), { valid: false, rehash: false })
})

t.test('beyond a full line: HasherBusy with whole seconds to wait, and then there is room again', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, random, concurrency: 1, queue_length: 1 })
  const checks = await Promise.allSettled([1, 2, 3, 4].map(() => passwords.verify(null, PASSWORD)))
  t.strictSame(
    checks.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  )
  const [, , third] = checks
  t.ok(third?.status === 'rejected' && third.reason instanceof HasherBusy && Number.isInteger(third.reason.retry_after))
  t.ok(third?.status === 'rejected' && third.reason.retry_after >= 1)
  t.strictSame(await passwords.verify(null, PASSWORD), { valid: false, rehash: false })
  t.strictSame([passwords.running, passwords.waiting], [0, 0])
  const hashes = await Promise.allSettled([1, 2, 3].map(() => passwords.hash(PASSWORD)))
  t.strictSame(
    hashes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
    'making one waits in the same line',
  )
})

t.test('a password that the policy refuses is never hashed in another form', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE })
  await t.rejects(passwords.hash('\udc00 and some more text'), TypeError)
  await t.rejects(passwords.hash('a'.repeat(1025)), TypeError)
})

t.test('parameters that no stored hash may have are refused at the start, before anyone is locked out', async (t) => {
  await t.rejects(createPasswordHasher({ ...CHEAP, ...LINE, memory_kib: 262_145 }), RangeError)
})

t.test('a concurrency of 0 is one core less than there are, and at least one', async (t) => {
  const passwords = await createPasswordHasher({ ...CHEAP, ...LINE, concurrency: 0 })
  const checks = Array.from({ length: 9 }, () => passwords.verify(null, PASSWORD))
  t.equal(passwords.running, Math.min(9, Math.max(1, availableParallelism() - 1)))
  await Promise.all(checks)
})
