import argon2 from 'argon2'
import fc from 'fast-check'
import t from 'tap'
import { hashArgon2id, passwordHashFormat } from '../../server/accounts/password_hash_formats.ts'

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
const TAG = 'A'.repeat(43)
const phc = (parameters: string, salt = SALT, tag = TAG) => `$argon2id$v=19$${parameters}$${salt}$${tag}`

t.test('PHC string format: argon2id hashes within bounds are accepted', async (t) => {
  t.ok(passwordHashFormat(phc('m=19456,t=2,p=1')))
  t.ok(passwordHashFormat(phc('m=262144,t=10,p=4')), 'the most that a hash may cost')
  t.ok(passwordHashFormat(phc('m=8,t=1,p=1')), 'the least that argon2 knows')
  t.ok(passwordHashFormat(phc('m=65536,p=4,t=3')), 'the order of the npm package argon2')
})

t.test('what would cost too much, is not argon2id or is not well-formed is refused unread', async (t) => {
  const refused = [
    '',
    '$argon2id$',
    phc('m=262145,t=1,p=1'),
    phc('m=4294967295,t=1,p=1'),
    phc('m=19456,t=11,p=1'),
    phc('m=19456,t=2,p=5'),
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
    `${phc('m=19456,t=2,p=1')}\n`,
    ` ${phc('m=19456,t=2,p=1')}`,
    phc('m=19456,t=2,p=1').replace('v=19', 'v=16'),
    phc('m=19456,t=2,p=1').replace('$v=19', ''),
    phc('m=19456,t=2,p=1').replace('argon2id', 'argon2i'),
    `$2b$12$${'a'.repeat(53)}`,
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
})
