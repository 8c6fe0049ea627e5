import t from 'tap'
import { activeKey, keyState, nextKey, publishedKeys } from '../../keys/keyring.ts'
import { record } from '../helpers/signing_key_record.ts'

const next = record('next')
const active = record('active', { activated_at: 5 })
const retiring = record('retiring', { activated_at: 5, retired_at: 9 })
const removed = record('removed', { activated_at: 5, retired_at: 9, removed_at: 12 })
const dropped = record('dropped', { removed_at: 12 })

t.test('a key goes next → active → retiring → removed', async (t) => {
  t.equal(keyState(next), 'next')
  t.equal(keyState(active), 'active')
  t.equal(keyState(retiring), 'retiring')
  t.equal(keyState(removed), 'removed')
  t.equal(keyState(dropped), 'removed', 'a key that never signed may be removed too')
})

t.test('only the active key of the algorithm signs', async (t) => {
  const es256 = record('es256', { alg: 'ES256', activated_at: 5 })
  const keys = [removed, retiring, next, es256, active]
  t.equal(activeKey(keys, 'RS256'), active)
  t.equal(activeKey(keys, 'ES256'), es256)
  t.equal(activeKey(keys, 'EdDSA'), undefined)
  t.equal(activeKey([next, retiring, removed], 'RS256'), undefined)
  t.equal(nextKey(keys, 'RS256'), next)
  t.equal(nextKey(keys, 'ES256'), undefined)
})

t.test('next, active and retiring keys are published; removed ones are not', async (t) => {
  const kids = publishedKeys([removed, retiring, next, dropped, active]).map(({ kid }) => kid)
  t.same(kids, ['active', 'next', 'retiring'])
})

t.test('the order of the JWK Set does not depend on the order of the rows', async (t) => {
  const keys = [
    record('b', { activated_at: 1, retired_at: 2 }),
    record('a', { activated_at: 1, retired_at: 2 }),
    record('e', { alg: 'EdDSA', activated_at: 1 }),
    active,
    next,
  ]
  const published = publishedKeys(keys)
  t.same(published, publishedKeys([...keys].reverse()))
  t.same(
    published.map(({ kid }) => kid),
    ['active', 'next', 'a', 'b', 'e'],
  )
})
