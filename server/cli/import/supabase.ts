import { instantIn, known, listIn, objectIn, RowProblem, type SourceFormat, textIn, truthIn } from './row.ts'

/**
 * The table `auth.users` of Supabase, as CSV or JSON. What people write about themselves (`raw_user_meta_data`) becomes
 * their profile, and never a role.
 *
 * @see [Supabase: users](https://supabase.com/docs/guides/auth/users)
 */
export const supabase: SourceFormat = {
  name: 'supabase',
  recognizes: (record) => 'encrypted_password' in record,
  read(record, { now }) {
    const id = textIn(record, 'id')
    if (id === undefined) throw new RowProblem('id', 'There is no id.')
    if (truthIn(record, 'is_anonymous') === true) return { nobody: 'an anonymous user' }
    if (instantIn(record, 'deleted_at') !== undefined) return { nobody: 'a user who was deleted' }
    const [email, phone] = [textIn(record, 'email'), textIn(record, 'phone')]
    const about = objectIn(record, 'raw_user_meta_data')
    const phone_number = phone === undefined || phone.startsWith('+') ? phone : `+${phone}`
    return {
      username: email ?? phone_number ?? id,
      email,
      email_verified: email !== undefined && instantIn(record, 'email_confirmed_at') !== undefined,
      name: textIn(about, 'full_name') ?? textIn(about, 'name'),
      profile: known({
        given_name: textIn(about, 'given_name'),
        family_name: textIn(about, 'family_name'),
        picture: textIn(about, 'avatar_url') ?? textIn(about, 'picture'),
        locale: textIn(about, 'locale'),
        phone_number,
        phone_number_verified:
          phone_number === undefined ? undefined : instantIn(record, 'phone_confirmed_at') !== undefined,
      }),
      roles: listIn(objectIn(record, 'raw_app_meta_data'), 'roles'),
      password_hash: textIn(record, 'encrypted_password'),
      disabled: bannedUntil(record.banned_until) > now,
      created_at: instantIn(record, 'created_at'),
      legacy_user_id: id,
    }
  },
}

function bannedUntil(value: unknown): number {
  if (value === 'infinity') return Number.POSITIVE_INFINITY
  return instantIn({ banned_until: value }, 'banned_until') ?? 0
}
