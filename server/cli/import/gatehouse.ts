import {
  type ImportedRow,
  instantIn,
  known,
  listIn,
  objectIn,
  RowProblem,
  type SourceFormat,
  textIn,
  truthIn,
} from './row.ts'

/** OpenID Connect Core §5.1: what a profile has, but for `address`. */
const PROFILE_TEXTS = [
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'phone_number',
] as const
const OTHERS = ['username', 'email', 'email_verified', 'name', 'roles', 'password_hash', 'disabled', 'created_at']

/** Every column that is read. */
export const COLUMNS: readonly string[] = [
  ...OTHERS,
  'legacy_user_id',
  ...PROFILE_TEXTS,
  'phone_number_verified',
  'address',
]

/** Members named as Gatehouse names them: what `users export` writes, and Django's export. */
export const gatehouse: SourceFormat = {
  name: 'gatehouse',
  recognizes: () => false,
  read(record): ImportedRow {
    const username = textIn(record, 'username') ?? textIn(record, 'email')
    if (username === undefined) throw new RowProblem('username', 'There is neither a user name nor an e-mail address.')
    const address = objectIn(record, 'address')
    const profile = known({
      ...Object.fromEntries(PROFILE_TEXTS.map((name) => [name, textIn(record, name)])),
      phone_number_verified: truthIn(record, 'phone_number_verified'),
      address: Object.keys(address).length === 0 ? undefined : address,
    })
    return {
      username,
      email: textIn(record, 'email'),
      email_verified: truthIn(record, 'email_verified'),
      name: textIn(record, 'name'),
      profile,
      roles: listIn(record, 'roles'),
      password_hash: textIn(record, 'password_hash'),
      disabled: truthIn(record, 'disabled'),
      created_at: instantIn(record, 'created_at'),
      legacy_user_id: textIn(record, 'legacy_user_id'),
    }
  },
}
