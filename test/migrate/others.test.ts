/** docs/migrate/others.md. */
import t from 'tap'
import { walkThrough } from '../helpers/walkthrough.ts'

t.test('Firebase, with the example that it has published', async (t) => {
  const files = { 'users.json': 'firebase_users.json', 'hash_config.txt': 'firebase_hash_config.txt' }
  const { results, show, problems, signIn } = await walkThrough(t, { name: 'others.md', tag: 'run firebase', files })
  t.match(results, [{ code: 0, stdout: /3 rows: 2 created, 1 skipped/, stderr: /format is firebase/ }])
  t.same(problems('problems.jsonl'), [[3, 'skipped', '']])
  t.match(await show('user1@example.com'), {
    name: 'User One',
    email_verified: true,
    created_at: 1486324445,
    legacy_user_id: 'kEo2m3xVdRQyB5N0',
  })
  t.match(await show('two@example.com'), { disabled_at: Number, has_password: false })
  t.equal(await signIn('user1@example.com', 'user1password'), 200)
  t.equal(await signIn('user1@example.com', 'user2password'), 401)
})

t.test('better-auth', async (t) => {
  const files = { 'users.csv': 'better_auth_users.csv' }
  const { results, show, signIn } = await walkThrough(t, { name: 'others.md', tag: 'run better-auth', files })
  t.match(results, [{ code: 0, stdout: /2 rows: 2 created/, stderr: /format is better-auth/ }])
  t.match(await show('bea@example.com'), { name: 'Bea', roles: [], email_verified: true, created_at: 1735787045 })
  t.match(await show('bo@example.com'), { roles: ['editor'], disabled_at: Number, has_password: false })
  t.equal(await signIn('bea@example.com', 'better passwörd'), 200)
  t.equal(await signIn('bea@example.com', 'better password'), 401)
})

t.test('columns of somebody’s own', async (t) => {
  const files = { 'people.csv': 'unix_people.csv' }
  const { results, show, signIn } = await walkThrough(t, { name: 'others.md', tag: 'run unix', files })
  t.match(results, [{ code: 0, stdout: /2 rows: 2 created/ }])
  t.match(await show('root'), { name: 'Charlie &', has_password: false, roles: [] })
  t.equal(await signIn('ken', 'p/q2-q4! and more'), 200)
})
