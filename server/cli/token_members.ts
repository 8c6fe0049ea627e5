/** What the members of a token mean, and where that is written. */

/**
 * Registered: in the IANA registry, the same everywhere. Public: nobody else's, since it begins with somebody's own
 * address. Private: what issuer and verifier have agreed on.
 *
 * @see [RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)
 */
export type NameClass = 'registered' | 'public' | 'private'

export interface Member {
  readonly part: 'header' | 'payload'
  readonly name: string
  readonly value: unknown
  readonly meaning: string
  /** Where it is defined; null: nowhere but here, or nowhere at all. */
  readonly spec: string | null
  readonly name_class: NameClass
}

type Known = Readonly<Record<string, readonly [meaning: string, spec: string | null]>>

const OIDC = 'OpenID Connect Core'

const HEADER: Known = {
  alg: ['how it is signed', 'RFC 7515 §4.1.1'],
  jku: ['where its sender says the key is: not to be believed', 'RFC 7515 §4.1.2'],
  jwk: ['the key, as its sender says: not to be believed', 'RFC 7515 §4.1.3'],
  kid: ["which of the issuer's keys signed it", 'RFC 7515 §4.1.4'],
  x5u: ['where its sender says the certificate is', 'RFC 7515 §4.1.5'],
  x5c: ['certificates of the key', 'RFC 7515 §4.1.6'],
  x5t: ['thumbprint of the certificate', 'RFC 7515 §4.1.7'],
  'x5t#S256': ['thumbprint of the certificate', 'RFC 7515 §4.1.8'],
  typ: ['what kind of token it is', 'RFC 7515 §4.1.9, RFC 9068 §2.1'],
  cty: ['what kind of content it has', 'RFC 7515 §4.1.10'],
  crit: ['what a verifier has to understand', 'RFC 7515 §4.1.11'],
}

const PAYLOAD: Known = {
  iss: ['who issued it', 'RFC 7519 §4.1.1'],
  sub: ['who it speaks of: the account, or the client itself', 'RFC 7519 §4.1.2'],
  aud: ['the only API that may accept it', 'RFC 7519 §4.1.3'],
  exp: ['refused from then on', 'RFC 7519 §4.1.4'],
  nbf: ['refused until then', 'RFC 7519 §4.1.5'],
  iat: ['issued at', 'RFC 7519 §4.1.6'],
  jti: ['its own name', 'RFC 7519 §4.1.7'],
  client_id: ['the application that it was issued to', 'RFC 8693 §4.3'],
  scope: ['what it allows there', 'RFC 8693 §4.2'],
  act: ['who acts for the one it speaks of', 'RFC 8693 §4.1'],
  may_act: ['who alone may act for them', 'RFC 8693 §4.4'],
  cnf: ['the key that whoever presents it has to show', 'RFC 7800 §3.1'],
  status: ['where it is published that it has been revoked', 'Token Status List §6.1'],
  authorization_details: ['what it allows, in detail', 'RFC 9396 §9.1'],
  roles: ['roles of the one it speaks of', 'RFC 9068 §2.2.3.1'],
  groups: ['groups of the one it speaks of', 'RFC 9068 §2.2.3.1'],
  entitlements: ['what the one it speaks of is entitled to', 'RFC 9068 §2.2.3.1'],
  events: ['what has happened', 'RFC 8417 §2.2'],
  auth_time: ['when the person signed in', `${OIDC} §2`],
  amr: ['by what means the person signed in', `${OIDC} §2`],
  acr: ['how strong the sign-in was', `${OIDC} §2`],
  nonce: ['what the client made up, to know its own sign-in again', `${OIDC} §2`],
  azp: ['the client that it was issued to', `${OIDC} §2`],
  at_hash: ['hash of the access token beside it', `${OIDC} §3.1.3.6`],
  c_hash: ['hash of the code beside it', `${OIDC} §3.3.2.11`],
  sid: ['the sign-in that it came from', 'OpenID Connect Front-Channel Logout §3'],
  sub_jwk: ['the key of who issued it to themselves', `${OIDC} §7.4`],
}

const PERSON: Known = Object.fromEntries(
  [
    ...['name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture'],
    ...['website', 'gender', 'birthdate', 'zoneinfo', 'locale', 'updated_at', 'email', 'email_verified', 'address'],
    ...['phone_number', 'phone_number_verified'],
  ].map((name) => [name, ['about the person', `${OIDC} §5.1`]]),
)

const PRIVATE: Known = {
  grant_id: ['the grant that it lives by; revoke this one', null],
  exchanged_from: ['the tokens that it was exchanged from', null],
  token_type: ['for djangorestframework-simplejwt: which of its kinds it is', null],
  user_id: ['for djangorestframework-simplejwt: the account', null],
  role: ["the role that the resource's software reads", null],
}

const INSTANTS: readonly string[] = ['iat', 'exp', 'nbf', 'auth_time', 'updated_at']

/** Whether a member is seconds since the epoch (RFC 7519 §2, NumericDate). */
export function isInstant({ part, name, value }: Pick<Member, 'part' | 'name' | 'value'>): boolean {
  return part === 'payload' && INSTANTS.includes(name) && typeof value === 'number' && Number.isFinite(value)
}

/** Each member of a part, in its order, with what it means. */
export function membersOf(part: Member['part'], record: Readonly<Record<string, unknown>>): Member[] {
  return Object.entries(record).map(([name, value]) => ({ part, name, value, ...described(part, name) }))
}

function described(part: Member['part'], name: string): Pick<Member, 'meaning' | 'spec' | 'name_class'> {
  const registered = lookUp(part === 'header' ? [HEADER] : [PAYLOAD, PERSON], name)
  if (registered !== undefined) return { meaning: registered[0], spec: registered[1], name_class: 'registered' }
  // RFC 7519 §4.2: a name that contains a collision-resistant one, such as a domain of one's own.
  if (URL.canParse(name)) return { meaning: "claims under somebody's own address", spec: null, name_class: 'public' }
  const own = part === 'payload' ? lookUp([PRIVATE], name) : undefined
  return { meaning: own?.[0] ?? 'what issuer and verifier have agreed on', spec: null, name_class: 'private' }
}

function lookUp(tables: readonly Known[], name: string) {
  return tables.find((table) => Object.hasOwn(table, name))?.[name]
}
