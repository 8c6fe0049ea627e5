import t from 'tap'
import { changedProfile, profileProblem } from '../../server/accounts/profile.ts'

t.test('a member left out stays, null takes it away, an empty address is none', async (t) => {
  const existing = { given_name: 'Alice', locale: 'de', address: { country: 'Austria' } }
  t.strictSame(changedProfile(existing, {}), existing)
  t.strictSame(changedProfile(existing, { given_name: null, locale: 'en', address: {} }), { locale: 'en' })
  t.strictSame(changedProfile(existing, { address: { locality: 'Wien' } }).address, { locality: 'Wien' }, 'given whole')
})

t.test('a new telephone number has not been verified by a call to the old one', async (t) => {
  const existing = { phone_number: '+43 1 1', phone_number_verified: true }
  t.strictSame(changedProfile(existing, { phone_number: '+43 1 1' }), existing)
  t.strictSame(changedProfile(existing, { phone_number: '+43 1 2' }), { phone_number: '+43 1 2' })
  t.strictSame(changedProfile(existing, { phone_number: '+43 1 2', phone_number_verified: true }), {
    phone_number: '+43 1 2',
    phone_number_verified: true,
  })
})

t.test('a number that is not there cannot be verified', async (t) => {
  t.equal(profileProblem({ phone_number: '+43 1 1', phone_number_verified: true }), undefined)
  t.equal(profileProblem({ phone_number_verified: false }), undefined)
  t.type(profileProblem({ phone_number_verified: true }), 'string')
})
