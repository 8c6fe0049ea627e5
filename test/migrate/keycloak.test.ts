/** docs/migrate/keycloak.md, with an export whose argon2 and PBKDF2 credentials Keycloak has made. */
import t from 'tap'
import { walkThrough } from '../helpers/walkthrough.ts'

t.test('a realm moves in with its passwords', async (t) => {
  const files = { 'realm.json': 'keycloak_realm.json' }
  const { results, show, problems, signIn } = await walkThrough(t, { name: 'keycloak.md', files })
  const [dry, done] = results
  t.match(dry, { code: 1, stdout: /9 rows: 6 created, 1 skipped, 2 refused.* A dry run/, stderr: /format is keycloak/ })
  t.match(done, { code: 1, stdout: /9 rows: 6 created, 1 skipped, 2 refused/ })
  t.same(problems('problems.jsonl'), [
    [8, 'refused', 'password_hash'],
    [9, 'skipped', ''],
    [7, 'refused', 'roles'],
  ])
  t.match(await show('anna'), {
    email: 'anna@example.com',
    email_verified: true,
    name: 'Anna Adler',
    profile: { given_name: 'Anna', family_name: 'Adler', locale: 'de', phone_number: '+43 1 234567' },
    roles: ['editor'],
    created_at: 1740654221,
    legacy_user_id: '2a117809-8285-4718-a131-bd61fb57c001',
  })
  t.match(await show('carla'), { disabled_at: Number, has_password: true })
  t.match(await show('federated'), { has_password: false, disabled_at: null })
  t.equal(await signIn('anna', 'password'), 200, 'argon2, Keycloak 26')
  t.equal(await signIn('anna@EXAMPLE.com', 'password'), 200, 'and again, under the address')
  t.equal(await signIn('bert', 'password'), 200, 'pbkdf2-sha256, 256 bits')
  t.equal(await signIn('dirk', 'user1'), 200, 'a credential of Keycloak 4, 512 bits')
  t.equal(await signIn('emil', 'password'), 200, 'pbkdf2-sha512')
  t.equal(await signIn('carla', 'user1'), 401, 'disabled')
  t.equal(await signIn('bert', 'Password'), 401)
})
