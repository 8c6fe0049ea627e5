import { instantIn, known, listIn, RowProblem, type SourceFormat, textIn, truthIn } from './row.ts'

/**
 * better-auth's table `user`, with the `password` of its table `account` where `providerId` is `credential`; CSV or JSON.
 *
 * @see [better-auth: database](https://www.better-auth.com/docs/concepts/database)
 */
export const betterAuth: SourceFormat = {
  name: 'better-auth',
  recognizes: (record) => 'id' in record && 'emailVerified' in record && 'password' in record,
  read(record) {
    const [id, email] = [textIn(record, 'id'), textIn(record, 'email')]
    const username = textIn(record, 'username') ?? email
    if (username === undefined) throw new RowProblem('email', 'There is neither a user name nor an e-mail address.')
    if (truthIn(record, 'isAnonymous') === true) return { nobody: 'an anonymous user' }
    return {
      username,
      email,
      email_verified: truthIn(record, 'emailVerified'),
      name: textIn(record, 'name'),
      profile: known({ picture: textIn(record, 'image'), phone_number: textIn(record, 'phoneNumber') }),
      // Everybody is a user.
      roles: listIn(record, 'role')?.filter((role) => role !== 'user'),
      password_hash: textIn(record, 'password'),
      disabled: truthIn(record, 'banned'),
      created_at: instantIn(record, 'createdAt'),
      legacy_user_id: id,
    }
  },
}
