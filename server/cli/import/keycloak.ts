import { instantIn, known, objectIn, RowProblem, type SourceFormat, type SourceRecord, textIn, truthIn } from './row.ts'

/** What every account of a realm has. */
const COMMON_ROLES = /^(default-roles-.*|offline_access|uma_authorization)$/
const ATTRIBUTES: Readonly<Record<string, string>> = {
  locale: 'locale',
  picture: 'picture',
  website: 'website',
  nickname: 'nickname',
  gender: 'gender',
  birthdate: 'birthdate',
  zoneinfo: 'zoneinfo',
  middleName: 'middle_name',
  phoneNumber: 'phone_number',
  phone_number: 'phone_number',
}
const ARGON2_VERSIONS: Readonly<Record<string, string>> = { '1.0': '16', '1.3': '19' }

/**
 * Users of a realm's export (`kc.sh export --users same_file`, or one of its users files). Passwords come in as PBKDF2
 * and argon2 strings.
 *
 * @see [Keycloak: importing and exporting realms](https://www.keycloak.org/server/importExport)
 */
export const keycloak: SourceFormat = {
  name: 'keycloak',
  recognizes: (record) => 'enabled' in record && ('credentials' in record || 'createdTimestamp' in record),
  read(record) {
    const username = textIn(record, 'username')
    if (username === undefined) throw new RowProblem('username', 'There is no user name.')
    if (textIn(record, 'serviceAccountClientId') !== undefined) return { nobody: 'a service account is a client here' }
    const [given_name, family_name] = [textIn(record, 'firstName'), textIn(record, 'lastName')]
    const { realmRoles = [] } = record
    const roles = Array.isArray(realmRoles) ? realmRoles.map(String).filter((role) => !COMMON_ROLES.test(role)) : []
    return {
      username,
      email: textIn(record, 'email'),
      email_verified: truthIn(record, 'emailVerified'),
      name: [given_name, family_name].filter(Boolean).join(' ') || undefined,
      profile: known({ given_name, family_name, ...attributesOf(record) }),
      roles,
      password_hash: passwordOf(record),
      disabled: truthIn(record, 'enabled') === false,
      created_at: instantIn(record, 'createdTimestamp'),
      legacy_user_id: textIn(record, 'id'),
    }
  },
}

function attributesOf(record: SourceRecord): SourceRecord {
  const attributes = objectIn(record, 'attributes')
  return Object.fromEntries(
    Object.entries(ATTRIBUTES).flatMap(([name, member]) => {
      const value = [attributes[name]].flat()[0]
      return typeof value === 'string' && value !== '' ? [[member, value]] : []
    }),
  )
}

function passwordOf({ credentials }: SourceRecord): string | undefined {
  const list: unknown[] = Array.isArray(credentials) ? credentials : []
  const found = list.find((credential) => objectIn({ credential }, 'credential').type === 'password')
  if (found === undefined) return undefined
  const credential = objectIn({ found }, 'found')
  // Since version 8 the two halves are JSON in a text; before, they were members.
  const data = 'credentialData' in credential ? objectIn(credential, 'credentialData') : credential
  const secret = 'secretData' in credential ? objectIn(credential, 'secretData') : credential
  const value = textIn(secret, 'value') ?? textIn(secret, 'hashedSaltedValue')
  const salt = textIn(secret, 'salt')
  const algorithm = textIn(data, 'algorithm')
  const iterations = textIn(data, 'hashIterations')
  if (value === undefined || salt === undefined || algorithm === undefined || iterations === undefined) {
    throw new RowProblem('password_hash', 'The password credential is not complete.')
  }
  const [salt64, value64] = [salt, value].map((text) => text.replace(/=+$/, ''))
  if (algorithm === 'argon2')
    return `${argon2(objectIn(data, 'additionalParameters'), iterations)}$${salt64}$${value64}`
  if (/^pbkdf2(-sha(1|256|512))?$/.test(algorithm)) return `$${algorithm}$i=${iterations}$${salt64}$${value64}`
  throw new RowProblem('password_hash', 'The password was hashed with an algorithm that is not known here.')
}

function argon2(parameters: SourceRecord, iterations: string): string {
  const first = (name: string) => textIn({ [name]: [parameters[name]].flat()[0] }, name) ?? ''
  const version = ARGON2_VERSIONS[first('version')]
  if (version === undefined) throw new RowProblem('password_hash', 'The version of argon2 is not known.')
  return `$argon2${first('type')}$v=${version}$m=${first('memory')},t=${iterations},p=${first('parallelism')}`
}
