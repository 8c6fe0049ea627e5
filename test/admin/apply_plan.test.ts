import t from 'tap'
import { changeOf, repetitions, secretMember } from '../../server/admin/apply_plan.ts'

t.test('what is not there yet is created, with every member that it has', async (t) => {
  t.same(changeOf('client', 'a', undefined, { scope: 'read', client_name: null }), {
    kind: 'client',
    id: 'a',
    action: 'create',
    members: [{ member: 'scope', before: null, after: 'read' }],
  })
})

t.test('what is as it should be does not change; what differs does', async (t) => {
  t.equal(changeOf('client', 'a', { scopes: ['x', 'y'], gone: undefined }, { scopes: ['x', 'y'] }), undefined)
  t.match(changeOf('client', 'a', { scopes: ['x'], name: 'n' }, { scopes: ['x', 'y'] }), {
    action: 'update',
    members: [
      { member: 'scopes', before: ['x'], after: ['x', 'y'] },
      { member: 'name', before: 'n', after: null },
    ],
  })
})

t.test('a secret shows that it is set or changed, and never what it is', async (t) => {
  t.same(secretMember(undefined, 'digest'), { before: null, after: '(set)' })
  t.same(secretMember(null, null), { before: null, after: null })
  t.same(secretMember('digest', 'digest'), { before: '(set)', after: '(set)' })
  t.same(secretMember('digest', 'other'), { before: '(set)', after: '(changed)' })
  t.same(secretMember('digest', null), { before: '(set)', after: null })
})

t.test('a key that occurs again is found at its repetition', async (t) => {
  t.same(repetitions([['a'], ['b'], ['a', 'b']]), [
    { index: 2, key: 'a' },
    { index: 2, key: 'b' },
  ])
  t.same(repetitions([['a', 'a'], ['b']]), [], 'one item may have one key twice')
})
