import t from 'tap'
import { SETUP_LINK_SECONDS } from '../../server/accounts/setup_link.ts'
import { buildTestAdmin } from '../helpers/admin.ts'

t.test('there is a set-up link until there is an administrator', async (t) => {
  const admin = await buildTestAdmin(t)
  const made = await admin.call('POST', 'setup-links')
  t.equal(made.statusCode, 201)
  const { setup_url, expires_in } = made.json()
  t.equal(expires_in, SETUP_LINK_SECONDS)
  t.match(setup_url, /^http:\/\/localhost:3000\/setup\?token=gth_su_[\w-]{43}$/)
  t.notOk(admin.logged.join().includes('gth_su_'))
  await admin.createAccount({ username: 'root', roles: ['admin'] })
  t.equal((await admin.call('POST', 'setup-links')).statusCode, 409)
})
