import {
  instantIn,
  known,
  listIn,
  objectIn,
  RowProblem,
  type SourceFormat,
  type SourceRecord,
  textIn,
  truthIn,
} from './row.ts'

/**
 * Auth0's exports, both NDJSON: the users (a job of the Management API), and the password hashes (from its support). They
 * have the user id in common, so the second one adds the passwords: `--on-conflict update`.
 *
 * @see [Auth0: bulk user exports](https://auth0.com/docs/manage-users/user-migration/bulk-user-exports)
 * @see [Auth0: the export of password hashes](https://support.auth0.com/center/s/article/How-to-Use-the-Password-Hashes-Export-from-Auth0)
 */
export const auth0: SourceFormat = {
  name: 'auth0',
  recognizes: (record) =>
    /^[\w-]+\|/.test(String(record.user_id)) || ('passwordHash' in record && '$oid' in objectIn(record, '_id')),
  read(record) {
    const user_id = userIdOf(record)
    const { email, email_verified } = emailOf(record)
    const phone_number = textIn(record, 'phone_number')
    const username = textIn(record, 'username') ?? email ?? phone_number ?? user_id
    const name = textIn(record, 'name')
    return {
      username,
      email,
      email_verified,
      // Auth0 puts the address there when it knows no name.
      name: name === email ? undefined : name,
      profile: known({
        given_name: textIn(record, 'given_name'),
        family_name: textIn(record, 'family_name'),
        nickname: textIn(record, 'nickname'),
        picture: textIn(record, 'picture'),
        phone_number,
        phone_number_verified: phone_number === undefined ? undefined : truthIn(record, 'phone_verified'),
      }),
      roles: listIn(objectIn(record, 'app_metadata'), 'roles'),
      password_hash: passwordOf(record),
      disabled: truthIn(record, 'blocked'),
      created_at: instantIn(record, 'created_at'),
      legacy_user_id: user_id,
    }
  },
}

function userIdOf(record: SourceRecord): string {
  const user_id = textIn(record, 'user_id')
  if (user_id !== undefined) return user_id
  const id = textIn(record, 'alt_id') ?? textIn(objectIn(record, '_id'), '$oid')
  if (id === undefined) throw new RowProblem('user_id', 'There is no user id.')
  return `auth0|${id}`
}

/** In some exports the address is among the `identifiers` only. */
function emailOf(record: SourceRecord) {
  const { identifiers } = record
  const list: unknown[] = Array.isArray(identifiers) ? identifiers : []
  const found =
    list.map((identifier) => objectIn({ identifier }, 'identifier')).find(({ type }) => type === 'email') ?? {}
  return {
    email: textIn(record, 'email') ?? textIn(found, 'value'),
    email_verified: truthIn(record, 'email_verified') ?? truthIn(found, 'verified'),
  }
}

function passwordOf(record: SourceRecord): string | undefined {
  const bcrypt = textIn(record, 'passwordHash') ?? textIn(record, 'password_hash')
  if (bcrypt !== undefined || !('custom_password_hash' in record)) return bcrypt
  const custom = objectIn(record, 'custom_password_hash')
  const value = textIn(objectIn(custom, 'hash'), 'value')
  if (['bcrypt', 'argon2', 'pbkdf2'].includes(textIn(custom, 'algorithm') ?? '') && value !== undefined) return value
  throw new RowProblem('password_hash', 'The password was hashed with an algorithm that is not known here.')
}
