import { createSecretKey } from 'node:crypto'
import t from 'tap'
import {
  type KeyEncryptionKey,
  openEnvelope,
  parseEnvelope,
  rewrapEnvelope,
  sealEnvelope,
} from '../../keys/envelope.ts'
import { random } from '../helpers/vault.ts'

function newKek(kek_id: string): KeyEncryptionKey {
  return { kek_id, key: createSecretKey(random.bytes(32)) }
}

const kek = newKek('one')
const plaintext = Buffer.from('a secret')

function open(kek: KeyEncryptionKey, where: string, sealed: string): Buffer | undefined {
  const envelope = parseEnvelope(sealed)
  return envelope && openEnvelope(kek, where, envelope)
}

t.test('a sealed value opens under its key, at its place', async (t) => {
  const sealed = sealEnvelope(kek, 'table/column/row', plaintext, random)
  t.ok(open(kek, 'table/column/row', sealed)?.equals(plaintext))
  t.equal(open(newKek('one'), 'table/column/row', sealed), undefined, 'not under another key of the same name')
  t.equal(open({ ...kek, kek_id: 'two' }, 'table/column/row', sealed), undefined, 'not under another name')
})

t.test('NIST SP 800-38D: the place is authenticated, so that a ciphertext cannot be moved', async (t) => {
  const sealed = sealEnvelope(kek, 'table/column/1', plaintext, random)
  for (const where of ['table/column/2', 'table/other/1', 'other/column/1', '']) {
    t.equal(open(kek, where, sealed), undefined, where)
  }
})

t.test('no part of one envelope opens in another, even of the same place', async (t) => {
  const parts = [1, 2].map(() => sealEnvelope(kek, 'where', plaintext, random).split('.'))
  const [one = [], two = []] = parts
  for (const index of [2, 3, 4, 5]) {
    const mixed = one.map((part, at) => (at === index ? two[at] : part)).join('.')
    t.equal(open(kek, 'where', mixed), undefined, `part ${index}`)
  }
  const value = [...one.slice(0, 4), ...two.slice(4)].join('.')
  t.equal(open(kek, 'where', value), undefined, 'nor does a value under another data key')
})

t.test('an envelope altered at any position does not open', async (t) => {
  const sealed = sealEnvelope(kek, 'where', plaintext, random)
  const opened: string[] = []
  for (let at = 0; at < sealed.length; at += 1) {
    for (const character of ['A', 'B', '.', '=', ' ', '\n', '']) {
      const altered = sealed.slice(0, at) + character + sealed.slice(at + 1)
      if (altered !== sealed && open(kek, 'where', altered) !== undefined) opened.push(altered)
    }
    if (open(kek, 'where', sealed.slice(0, at)) !== undefined) opened.push(sealed.slice(0, at))
  }
  t.same(opened, [])
})

t.test('RFC 4648 §3.5: only the canonical spelling of the base64url is read', async (t) => {
  const sealed = sealEnvelope(kek, 'where', plaintext, random)
  t.ok(parseEnvelope(sealed))
  // 24 octets leave no spare bits in their spelling; 8 octets and a tag of 16 neither: one octet more leaves two.
  const spare = sealEnvelope(kek, 'where', Buffer.from('a secret!'), random)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const twin = spare.slice(0, -1) + alphabet[alphabet.indexOf(spare.slice(-1)) + 1]
  t.same(Buffer.from(twin.split('.')[5] ?? '', 'base64url'), Buffer.from(spare.split('.')[5] ?? '', 'base64url'))
  t.ok(parseEnvelope(spare))
  t.equal(parseEnvelope(twin), undefined)
})

t.test('two seals of one value have nothing in common', async (t) => {
  const [one = [], two = []] = [1, 2].map(() => sealEnvelope(kek, 'where', plaintext, random).split('.'))
  t.same(one.slice(0, 2), two.slice(0, 2))
  for (const index of [2, 3, 4, 5]) t.not(one[index], two[index])
})

t.test('re-wrapping changes the key and not the ciphertext', async (t) => {
  const other = newKek('two')
  const sealed = sealEnvelope(kek, 'where', plaintext, random)
  const envelope = parseEnvelope(sealed)
  if (envelope === undefined) throw new Error('unreadable')
  const rewrapped = rewrapEnvelope(kek, other, 'where', envelope, random) ?? ''
  t.equal(rewrapped.split('.')[5], sealed.split('.')[5])
  t.ok(open(other, 'where', rewrapped)?.equals(plaintext))
  t.equal(open(kek, 'where', rewrapped), undefined)
  t.equal(rewrapEnvelope(kek, other, 'elsewhere', envelope, random), undefined, 'and keeps the place')
  t.equal(rewrapEnvelope(other, kek, 'where', envelope, random), undefined)
})
