import t from 'tap'
import { scopesLacking, scopesOfRoles } from '../../server/protocol/administration.ts'

t.test('nobody grants a scope of the admin API that they lack; other scopes are not held by anybody', async (t) => {
  const both = ['gatehouse:read', 'gatehouse:write']
  t.same(scopesLacking(['gatehouse:write'], [...both, 'read', '*']), ['gatehouse:read'])
  t.same(scopesLacking([], both), both)
  t.same(scopesLacking(both, both), [])
  t.same(scopesLacking(['*'], ['gatehouse:new']), ['gatehouse:new'], 'no wildcard covers them')
})

t.test('the role admin brings all of them, and no other role any', async (t) => {
  t.same(scopesOfRoles(['staff', 'admin']), ['gatehouse:read', 'gatehouse:write'])
  t.same(scopesOfRoles(['Admin', 'administrator']), [])
})
