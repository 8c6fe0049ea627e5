import { CliError } from '../exit.ts'
import {
  type FirebaseParameters,
  instantIn,
  known,
  objectIn,
  RowProblem,
  type SourceFormat,
  type SourceRecord,
  textIn,
  truthIn,
} from './row.ts'

/**
 * What `firebase auth:export` writes as JSON. Passwords need the project's hash parameters.
 *
 * @see [Firebase CLI: auth](https://firebase.google.com/docs/cli/auth)
 */
export const firebase: SourceFormat = {
  name: 'firebase',
  recognizes: (record) => 'localId' in record,
  read(record, { firebase: parameters }) {
    const id = textIn(record, 'localId')
    if (id === undefined) throw new RowProblem('localId', 'There is no id.')
    const [email, phone_number] = [textIn(record, 'email'), textIn(record, 'phoneNumber')]
    if (email === undefined && phone_number === undefined) return { nobody: 'an anonymous user' }
    return {
      username: email ?? phone_number ?? id,
      email,
      email_verified: truthIn(record, 'emailVerified'),
      name: textIn(record, 'displayName'),
      profile: known({
        picture: textIn(record, 'photoUrl'),
        phone_number,
        // Firebase knows only numbers that have got its message.
        phone_number_verified: phone_number === undefined ? undefined : true,
      }),
      password_hash: passwordOf(record, parameters),
      disabled: truthIn(record, 'disabled'),
      created_at: instantIn(record, 'createdAt'),
      legacy_user_id: id,
    }
  },
}

function passwordOf(record: SourceRecord, parameters: FirebaseParameters | undefined): string | undefined {
  const hash = textIn(record, 'passwordHash')
  if (hash === undefined) return undefined
  if (parameters === undefined) {
    const remedy = 'Copy them from the console (Authentication, Users, Password hash parameters) into a file.'
    throw new CliError('usage', 'Passwords of Firebase need --firebase-hash-parameters FILE.', remedy)
  }
  const { signer_key, salt_separator, rounds, mem_cost } = parameters
  const project = `v=1,n=${mem_cost},r=${rounds},p=1,ss=${salt_separator},sk=${signer_key}`
  return `$fbscrypt$${project}$${base64(textIn(record, 'salt') ?? '')}$${base64(hash)}`
}

/** Some exports have the alphabet of URLs. */
function base64(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/')
}

/**
 * Reads a project's hash parameters: JSON, or the text that the console shows (`base64_signer_key: …,`).
 *
 * @throws {CliError} when one of them is missing
 */
export function readFirebaseParameters(text: string): FirebaseParameters {
  const json = objectIn({ text }, 'text')
  const find = (name: string) => {
    const found =
      json[name] ?? json[`base64_${name}`] ?? new RegExp(`${name}"?\\s*[:=]\\s*"?([^\\s",}]+)`).exec(text)?.[1]
    if (typeof found === 'string' || typeof found === 'number') return String(found)
    throw new CliError('usage', `The Firebase hash parameters lack ${name}.`)
  }
  const [rounds, mem_cost] = [Number(find('rounds')), Number(find('mem_cost'))]
  return { signer_key: find('signer_key'), salt_separator: find('salt_separator'), rounds, mem_cost }
}
