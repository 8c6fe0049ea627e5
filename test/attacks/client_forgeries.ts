/** JWTs as a client signs them, each wrong in one way: what nobody may take for the client's word. */
import { createHmac, createPublicKey, KeyObject, sign } from 'node:crypto'
import { type ClientKey, clientKey, signAs } from '../helpers/client_keys.ts'
import { encode, type Forgery } from './forgeries.ts'

type Members = Readonly<Record<string, unknown>>

/** What is read somewhere, and what a right one looks like there. */
export interface ClientJwtKind {
  /** RS256, so that its public key may be tried as a secret. */
  readonly key: ClientKey
  /** Of a right one, besides `alg`. */
  readonly header: Members
  /** Of a right one; another `jti` each time, so that none is refused for its use alone. */
  readonly claims: () => Members
  readonly required: readonly string[]
  /** The types of all other kinds. */
  readonly foreign_types: readonly unknown[]
  readonly now: number
  /** Whose key it is says its own header (DPoP); else it is one that is registered. */
  readonly brings_its_key?: boolean
  /** It may be meant for others as well. */
  readonly shared?: boolean
}

export async function clientForgeries(kind: ClientJwtKind): Promise<Forgery[]> {
  const { key, header, now } = kind
  const stranger = await clientKey('RS256')
  const private_key = KeyObject.from(key.private_key)
  const pem = createPublicKey(private_key).export({ format: 'pem', type: 'spki' }).toString()

  /** By the right key, whatever is said: jose itself would not sign some of it. */
  const byHand = (header: Members, claims: string) => {
    const input = `${encode(header)}.${Buffer.from(claims).toString('base64url')}`
    return `${input}.${sign('sha256', Buffer.from(input), private_key).toString('base64url')}`
  }
  const right = { alg: 'RS256', kid: key.jkt, ...header }
  const claims = () => JSON.stringify(kind.claims())
  const headed = (title: string, members: Members): Forgery => [title, byHand({ ...right, ...members }, claims())]
  const claiming = (title: string, members: Members): Forgery => [
    title,
    byHand(right, JSON.stringify({ ...kind.claims(), ...members })),
  ]
  const unsigned = (members: Members) => `${encode({ ...right, ...members })}.${encode(kind.claims())}`
  const [good_header = '', good_claims = '', signature = ''] = byHand(right, claims()).split('.')
  const each = <T>(values: readonly T[], forge: (value: T) => Forgery) => values.map(forge)
  const named = (value: unknown) => JSON.stringify(value)?.slice(0, 60)
  const audience = kind.claims().aud
  const byStranger = await signAs(stranger, kind.claims(), { ...header, kid: key.jkt })

  return [
    ...['none', 'None', 'NONE', '', null, 0, undefined, ['none'], ['RS256']].flatMap((alg): Forgery[] => [
      [`RFC 8725 §3.2: alg ${named(alg)} without a signature`, `${unsigned({ alg })}.`],
      [`RFC 8725 §3.2: alg ${named(alg)} over a signature`, `${unsigned({ alg })}.${signature}`],
    ]),
    ...each(['HS256', 'HS384', 'HS512'], (alg) => {
      const input = unsigned({ alg })
      const digest = createHmac(alg.replace('HS', 'sha'), pem).update(input).digest('base64url')
      return [`RFC 8725 §2.1: ${alg} keyed with the public key`, `${input}.${digest}`]
    }),
    ...each(['PS256', 'RS384', 'RS512', 'ES256', 'EdDSA', 'ES256K', 'RSA1_5', 'dir'], (alg) =>
      headed(`RFC 8725 §3.1: a signature with RS256 called ${alg}`, { alg }),
    ),
    ['RFC 7515 §5.2: no signature', `${good_header}.${good_claims}.`],
    ['RFC 7515 §5.2: two parts', `${good_header}.${good_claims}`],
    ['RFC 7515 §5.2: four parts', `${good_header}.${good_claims}.${signature}.${signature}`],
    ['RFC 7515 §5.2: other claims under a signature', `${good_header}.${encode(kind.claims())}.${signature}`],
    ['RFC 7515 §5.2: the signature of another JWT', `${unsigned({})}.${signature}`],
    ['RFC 7515 §7.2: JSON serialisation', JSON.stringify({ protected: good_header, payload: good_claims, signature })],
    ['RFC 7515 §2: base64 in place of base64url', `${good_header}=.${good_claims}.${signature}`],
    ['RFC 7515 §6: a foreign key under the right kid', byStranger],
    headed('RFC 7515 §4.1.11: crit', { crit: ['x'], x: 1 }),
    headed('RFC 7797 §6: an unencoded payload', { crit: ['b64'], b64: false }),
    headed('RFC 7515 §4.1.11: an empty crit', { crit: [] }),
    ...each(kind.foreign_types, (typ) => headed(`RFC 8725 §3.11: typ ${named(typ)}`, { typ })),
    ...(kind.brings_its_key === true ? await keysInside(kind, byHand, stranger) : await keysOutside(kind, stranger)),
    ...each(kind.required, (name) => claiming(`without ${name}`, { [name]: undefined })),
    ...(audience === undefined
      ? []
      : each(
          [
            'https://evil.example',
            ...(kind.shared === true ? [] : [[audience, 'https://evil.example']]),
            `${typeof audience === 'string' ? audience : ''}/`,
            '',
            [],
            null,
            5,
            {},
            [[]],
          ],
          (aud) => claiming(`RFC 8725 §3.9: aud ${named(aud)}`, { aud }),
        )),
    ...each(
      ['iss', 'sub', 'client_id'].filter((name) => kind.claims()[name] !== undefined),
      (name) => claiming(`RFC 8725 §3.8: another ${name}`, { [name]: 'somebody-else' }),
    ),
    ...(kind.claims().exp === undefined
      ? []
      : each([now, now - 1, 0, -1, 'never', String(now + 60), null, [now + 60], {}], (exp) =>
          claiming(`RFC 7519 §4.1.4: exp ${named(exp)}`, { exp }),
        )),
    // RFC 9449 §4.2: a proof has an `iat` in its place.
    ...(kind.brings_its_key === true
      ? []
      : each([now + 3600, 'now', null, [0]], (nbf) => claiming(`RFC 7519 §4.1.5: nbf ${named(nbf)}`, { nbf }))),
    ['claims that are no object', byHand(right, '["x"]')],
    ['claims that are no JSON', byHand(right, '{')],
    ['a header that is no object', `${encode([])}.${good_claims}.${signature}`],
    // RFC 7519 §4: the last one counts, as it does wherever else this JSON is read.
    ['RFC 7519 §4: a member repeated', byHand(right, claims().replace(/}$/, ',"iss":"x","htm":"x","client_id":"x"}'))],
    claiming('more than 8 KiB', { pad: 'x'.repeat(8192) }),
  ]
}

/** RFC 8725 §3.10: no key that a JWT brings along, and no address of one, makes it anybody's. */
async function keysOutside(kind: ClientJwtKind, stranger: ClientKey): Promise<Forgery[]> {
  const { kid: _, ...jwk } = stranger.public_jwk
  const brought: Members[] = [
    { jwk },
    { jwk, kid: undefined },
    { jku: 'https://evil.example/jwks.json' },
    { x5u: 'https://evil.example/chain.pem' },
    { x5c: ['MAAA'] },
    { kid: stranger.jkt },
    { kid: undefined },
    { kid: '__proto__' },
  ]
  return Promise.all(
    brought.map(
      async (members): Promise<Forgery> => [
        `RFC 8725 §3.10: a stranger who sends ${Object.keys(members).join()} ${JSON.stringify(members.kid)}`,
        await signAs(stranger, kind.claims(), { ...kind.header, kid: kind.key.jkt, ...members }),
      ],
    ),
  )
}

/** RFC 9449 §4.3: the key in a proof is public, of the right kind, and the one that signed. */
async function keysInside(
  kind: ClientJwtKind,
  byHand: (header: Members, claims: string) => string,
  stranger: ClientKey,
): Promise<Forgery[]> {
  const { kid: _, ...jwk } = stranger.public_jwk
  const { kid, ...own } = kind.key.public_jwk
  const oct = { kty: 'oct', k: Buffer.from('secret').toString('base64url') }
  const described: Members[] = [
    { jwk },
    { jwk: undefined },
    { jwk: null },
    { jwk: [own] },
    { jwk: JSON.stringify(own) },
    { jwk: { ...own, d: 'AQAB' } },
    { jwk: { ...own, k: 'AQAB' } },
    { jwk: { kty: 'RSA' } },
    { jwk: { ...own, e: 'AQ' } },
    { jwk: oct },
    { jwk: undefined, kid },
    { jwk: undefined, jku: 'https://evil.example/jwks.json' },
  ]
  const input = `${encode({ ...kind.header, alg: 'HS256', jwk: oct })}.${encode(kind.claims())}`
  return [
    ...described.map(
      (members): Forgery => [
        `RFC 9449 §4.3: ${JSON.stringify(members).slice(0, 60)}`,
        byHand({ alg: 'RS256', ...kind.header, ...members }, JSON.stringify(kind.claims())),
      ],
    ),
    [
      'RFC 9449 §4.3: a symmetric key that it brings along',
      `${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`,
    ],
  ]
}
