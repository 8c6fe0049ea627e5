import { instant, printable } from './output.ts'
import { parseJson } from './transport.ts'

export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
}

/** What a JWT says, unverified: for people to look at. @returns undefined for anything else */
export function decodeToken(token: string): DecodedToken | undefined {
  const [header, payload] = token.split('.').map((part) => parseJson(Buffer.from(part, 'base64url').toString('utf8')))
  return isRecord(header) && isRecord(payload) ? { header, payload } : undefined
}

/** RFC 7515 §4.1, RFC 9068 §2.2, OpenID Connect Core §2. */
const MEANINGS: Readonly<Record<string, string>> = {
  alg: 'how it is signed',
  typ: 'what kind of token it is (RFC 9068)',
  kid: "which of the issuer's keys signed it",
  iss: 'who issued it',
  sub: 'who it speaks of: the account, or the client itself',
  aud: 'the only API that may accept it',
  client_id: 'the application that it was issued to',
  scope: 'what it allows there',
  iat: 'issued at',
  exp: 'refused after',
  jti: 'its own name',
  auth_time: 'when the person signed in',
  amr: 'by what means',
  acr: 'how strong the sign-in was',
  sid: 'the sign-in that it came from',
  grant_id: 'the grant that it lives by; revoke this one',
  token_type: 'for djangorestframework-simplejwt: which of its kinds it is',
  user_id: 'for djangorestframework-simplejwt: sub again',
  roles: 'the roles of the account',
}

const INSTANTS: readonly string[] = ['iat', 'exp', 'auth_time', 'nbf']

/** Each member on a line, with what it means. */
export function explainToken({ header, payload }: DecodedToken): string {
  return ['Header', ...explain(header), 'Payload', ...explain(payload)].join('\n')
}

function explain(part: Readonly<Record<string, unknown>>): string[] {
  const rows = Object.entries(part).map(([name, value]): [string, string, string] => {
    const shown =
      INSTANTS.includes(name) && typeof value === 'number' ? `${value} (${instant(value)})` : printable(value)
    return [printable(name), shown, MEANINGS[name] ?? '']
  })
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map(([name, value, meaning]) =>
    `  ${name.padEnd(widths[0] ?? 0)}  ${value.padEnd(widths[1] ?? 0)}  ${meaning}`.trimEnd(),
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
