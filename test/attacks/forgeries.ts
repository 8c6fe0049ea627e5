/** Tokens that nobody may take, made from a good one. */
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { CompactEncrypt, exportJWK } from 'jose'
import { signingKeyPlace } from '../../keys/vault.ts'
import type { Deps } from '../../server/deps.ts'
import { type Claims, makeSigningKey, type SigningKey, signToken } from '../helpers/stand_in_issuer.ts'

/** The server's own key, as only someone who holds its vault could have it: for what even a good signature does not excuse. */
export async function stolenKey({ store, vault, keys }: Deps): Promise<SigningKey> {
  const { kid } = keys.list().find(({ alg, state }) => alg === 'RS256' && state === 'active') ?? { kid: '' }
  const record = (await store.listSigningKeys()).find((key) => key.kid === kid)
  if (record === undefined) throw new Error('no active key')
  const pkcs8 = Buffer.from(vault.open(signingKeyPlace(kid), record.private_key_sealed))
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid }, pem }
}

export const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString())

export type Forgery = readonly [title: string, token: string]

/** What a kind of token is told by. */
export interface TokenKind {
  readonly typ: string
  /** The types that are of other kinds. */
  readonly foreign_types: readonly unknown[]
  readonly required: readonly string[]
  /** A hint still says whom it is about when it has expired. */
  readonly expires: boolean
}

export const ACCESS_TOKEN: TokenKind = {
  typ: 'at+jwt',
  foreign_types: [undefined, 'JWT', 'jwt', 'logout+jwt', 'dpop+jwt', 'id_token', '', null, 5],
  required: ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti', 'token_type'],
  expires: true,
}

export const ID_TOKEN: TokenKind = {
  typ: 'JWT',
  foreign_types: [undefined, 'at+jwt', 'logout+jwt', 'token-introspection+jwt', 'dpop+jwt', '', null, 5],
  required: ['iss', 'sub', 'aud', 'iat', 'exp'],
  expires: false,
}

/** @param good a token that is taken everywhere; none of these may be */
export async function forgeries(
  good: string,
  ours: SigningKey,
  now: number,
  kind: TokenKind = ACCESS_TOKEN,
): Promise<Forgery[]> {
  const [header = '', payload = '', signature = ''] = good.split('.')
  const claims = decode(payload)
  const unsigned = (members: object) => `${encode({ ...decode(header), ...members })}.${payload}`
  const foreign = await makeSigningKey(ours.kid)
  const stranger = await makeSigningKey()
  const signed = (title: string, changes: Claims, members: Claims = {}) =>
    signToken(ours, { ...claims, ...changes }, { typ: kind.typ, ...members }).then((token): Forgery => [title, token])
  const byStranger = (title: string, key: SigningKey, members: Claims = {}) =>
    signToken(key, claims, { typ: kind.typ, ...members }).then((token): Forgery => [title, token])
  const der = createPublicKey(ours.pem).export({ format: 'der', type: 'spki' })
  const { n = '' } = ours.jwk

  return [
    ...['none', 'None', 'NONE', 'nOnE', '', null, 0, undefined, ['none']].flatMap((alg): Forgery[] => [
      [`RFC 8725 §3.2: alg ${JSON.stringify(alg)} without a signature`, `${unsigned({ alg })}.`],
      [`RFC 8725 §3.2: alg ${JSON.stringify(alg)} over a signature`, `${unsigned({ alg })}.${signature}`],
    ]),
    ...hmacs(unsigned({ alg: 'HS256' }), {
      'as PEM': ours.pem,
      'as PEM without its last line break': ours.pem.trimEnd(),
      'as DER': der,
      'as a JWK': JSON.stringify(ours.jwk),
      'as its modulus': Buffer.from(n, 'base64url'),
      'as nothing': '',
    }),
    ['RFC 7515 §5.2: no signature', `${header}.${payload}.`],
    ['RFC 7515 §5.2: two parts', `${header}.${payload}`],
    ['RFC 7515 §5.2: four parts', `${good}.${signature}`],
    ['RFC 7515 §5.2: other claims under the signature', `${header}.${encode({ ...claims, sub: 'root' })}.${signature}`],
    ['RFC 7515 §5.2: a member repeated', `${header}.${twice(payload)}.${signature}`],
    ['RFC 7518 §3.4: a signature of zeros', `${unsigned({ alg: 'ES256' })}.${Buffer.alloc(64).toString('base64url')}`],
    ['RFC 8725 §3.1: ES256 over a signature with RS256', `${unsigned({ alg: 'ES256' })}.${signature}`],
    ['RFC 7515 §7.2: JSON serialisation', JSON.stringify({ protected: header, payload, signature })],
    [
      'RFC 7515 §7.2.1: JSON serialisation',
      JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    ],
    ['RFC 7519 §5.2: a JWE', await encrypted(good, ours)],
    await byStranger('RFC 7515 §6: a foreign key with the same kid', foreign),
    await byStranger('RFC 7515 §4.1.4: an unknown kid', stranger),
    ...(await Promise.all(
      [undefined, null, 0, 1, true, '', [ours.kid], { kid: ours.kid }, '../../../etc/passwd', "' OR '1'='1"].map(
        (kid) => signed(`RFC 7515 §4.1.4: kid ${JSON.stringify(kid)}`, {}, { kid }),
      ),
    )),
    ...(await Promise.all(
      ['__proto__', 'constructor', `${ours.kid}\0`, ours.kid.toUpperCase()].map((kid) =>
        signed(`RFC 7515 §4.1.4: kid ${JSON.stringify(kid)}`, {}, { kid }),
      ),
    )),
    await byStranger('RFC 8725 §3.10: an embedded jwk', stranger, { jwk: stranger.jwk }),
    await byStranger('RFC 8725 §3.10: an embedded jwk under our kid', foreign, { jwk: foreign.jwk }),
    await byStranger('RFC 8725 §3.10: jku', stranger, { jku: 'https://evil.example/jwks.json' }),
    await byStranger('RFC 8725 §3.10: x5u', stranger, { x5u: 'https://evil.example/cert.pem' }),
    await byStranger('RFC 8725 §3.10: x5c', stranger, { x5c: [der.toString('base64')] }),
    await signed('RFC 8725 §3.1: RS512 by the right key', {}, { alg: 'RS512' }),
    await signed('RFC 8725 §3.1: PS256 by the right key', {}, { alg: 'PS256' }),
    ...[
      { crit: ['x'], x: 1 },
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { crit: 'x' },
      { crit: ['b64'], b64: false },
    ].map((members) => critical(ours, claims, { typ: kind.typ, ...members })),
    ...(await Promise.all(
      kind.foreign_types.map((typ) => signed(`RFC 8725 §3.11: typ ${JSON.stringify(typ)}`, {}, { typ })),
    )),
    ...(await Promise.all(
      [
        'https://evil.example',
        `${String(claims.iss)}/`,
        String(claims.iss).toUpperCase(),
        [claims.iss],
        '',
        null,
        5,
      ].map((iss) => signed(`RFC 9068 §4: iss ${JSON.stringify(iss)}`, { iss })),
    )),
    ...(await Promise.all(kind.required.map((name) => signed(`RFC 9068 §2.2: no ${name}`, { [name]: undefined })))),
    ...(await Promise.all(
      (kind === ACCESS_TOKEN ? ['refresh', '', 5, ['access']] : []).map((token_type) =>
        signed(`token_type ${JSON.stringify(token_type)}`, { token_type }),
      ),
    )),
    ...(await Promise.all(
      (kind.expires ? [now, now - 1, 0, -1, 'never', String(now + 60), null, [now + 60]] : []).map((exp) =>
        signed(`RFC 7519 §4.1.4: exp ${JSON.stringify(exp)}`, { exp }),
      ),
    )),
    ...(kind.expires
      ? [
          await signed('RFC 7519 §4.1.5: nbf to come', { nbf: now + 60 }),
          await signed('RFC 7519 §4.1.5: nbf is no number', { nbf: 'now' }),
        ]
      : []),
    await signed('more than 8 KiB', { pad: 'x'.repeat(9000) }),
  ]
}

function hmacs(signing_input: string, secrets: Record<string, string | Buffer>): Forgery[] {
  return Object.entries(secrets).map(([form, secret]) => [
    `RFC 8725 §2.1: HS256 keyed with the public key ${form}`,
    `${signing_input}.${createHmac('sha256', secret).update(signing_input).digest('base64url')}`,
  ])
}

/** jose itself would not sign a header with an unknown `crit`. */
function critical(key: SigningKey, claims: Claims, members: Claims): Forgery {
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...members })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')
  return [`RFC 7515 §4.1.11: ${JSON.stringify(members)}`, `${input}.${signature}`]
}

function encrypted(good: string, { pem }: SigningKey): Promise<string> {
  return new CompactEncrypt(Buffer.from(good))
    .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', typ: 'at+jwt', cty: 'JWT' })
    .encrypt(createPublicKey(pem))
}

function twice(payload: string): string {
  const text = Buffer.from(payload, 'base64url').toString()
  return Buffer.from(text.replace('{', '{"sub":"root",')).toString('base64url')
}
