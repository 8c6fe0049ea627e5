/** docs/migrate/supabase.md, with every column of `auth.users`. */
import t from 'tap'
import { walkThrough } from '../helpers/walkthrough.ts'

t.test('auth.users moves in', async (t) => {
  const files = { 'users.csv': 'supabase_users.csv' }
  const { results, show, problems, signIn } = await walkThrough(t, { name: 'supabase.md', files })
  t.match(results, [{ code: 0, stdout: /7 rows: 5 created, 2 skipped/, stderr: /format is supabase/ }])
  t.same(problems('problems.jsonl'), [
    [6, 'skipped', ''],
    [7, 'skipped', ''],
  ])
  t.match(await show('ann@example.com'), {
    email_verified: true,
    name: 'Ann "A" Other',
    profile: { picture: 'https://example.com/a.png' },
    created_at: 1683356889,
    legacy_user_id: '185f2f83-d63a-4c9b-b4a0-7e4a88570001',
  })
  t.same((await show('ann@example.com')).roles, ['editor'], 'and not what she wrote about herself')
  t.match(await show('+15551234567'), { email: null, profile: { phone_number_verified: true } })
  t.match(await show('moved@example.com'), { email_verified: false })
  t.match(await show('banned@example.com'), { disabled_at: Number })
  t.match(await show('pardoned@example.com'), { disabled_at: null, has_password: false })
  t.equal(await signIn('ann@example.com', 'ann has a password'), 200, 'bcrypt')
  t.equal(await signIn('+15551234567', 'telephones too'), 200)
  t.equal(await signIn('moved@example.com', 'user1password'), 200, 'who had come from Firebase')
  t.equal(await signIn('banned@example.com', 'banned but known'), 401)
})
