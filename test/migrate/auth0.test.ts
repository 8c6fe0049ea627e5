/** docs/migrate/auth0.md. */
import t from 'tap'
import { walkThrough } from '../helpers/walkthrough.ts'

t.test('the users move in, and their passwords after them', async (t) => {
  const files = { 'users.ndjson': 'auth0_users.ndjson', 'password_hashes.ndjson': 'auth0_password_hashes.ndjson' }
  const { results, show, problems, signIn } = await walkThrough(t, { name: 'auth0.md', files })
  t.match(results, [
    { code: 0, stdout: /5 rows: 5 created/, stderr: /format is auth0/ },
    { code: 0, stdout: /2 rows: 2 updated/, stderr: /format is auth0/ },
  ])
  t.same([problems('problems.jsonl'), problems('problems2.jsonl')], [[], []])
  t.match(await show('user@example.com'), {
    username: 'user@example.com',
    email_verified: true,
    name: null,
    profile: { nickname: 'user', picture: 'https://s.gravatar.com/avatar/0?s=480' },
    legacy_user_id: 'auth0|5dea9f9c82dd7c0e76e4ec93',
    created_at: 1575657372,
  })
  t.match(await show('euclid'), { email: 'Euclid@example.com', roles: ['geometer'], name: 'Euclid of Alexandria' })
  t.match(await show('gail@example.com'), { has_password: false })
  t.match(await show('+15551234567'), { profile: { phone_number: '+15551234567', phone_number_verified: true } })
  t.match(await show('blocked@example.com'), { disabled_at: Number })
  t.equal(await signIn('user@example.com', 'correct horse battery'), 200)
  t.equal(await signIn('euclid', 'there is no royal road'), 200)
  t.equal(await signIn('euclid', 'there is a royal road'), 401)
})
