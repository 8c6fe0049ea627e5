/** The tokens that no resource server may take, one for each way in. */
import { createHmac } from 'node:crypto'
import { makeSigningKey, type StandInIssuer, signToken } from './stand_in_issuer.ts'

export interface HostileToken {
  /** The rule that it breaks, with its citation. */
  readonly title: string
  readonly token: string
}

export async function hostileTokens(issuer: StandInIssuer): Promise<HostileToken[]> {
  const [key] = issuer.keys
  const now = Math.floor(Date.now() / 1000)
  const good = await issuer.token()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const claims = encode(issuer.claims())
  const hs256 = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${claims}`
  const id_token = { aud: 'app', token_type: undefined, client_id: undefined, scope: undefined }

  return [
    { title: 'RFC 7519 §4.1.4: an expired token', token: await issuer.token({ iat: now - 600, exp: now - 60 }) },
    { title: 'RFC 7519 §4.1.4: a token without exp', token: await issuer.token({ exp: undefined }) },
    { title: 'RFC 9068 §4: a token for another audience', token: await issuer.token({ aud: 'https://other.example' }) },
    { title: 'RFC 9068 §4: a token without aud', token: await issuer.token({ aud: undefined }) },
    { title: 'RFC 9068 §4: a token of another issuer', token: await issuer.token({ iss: 'https://other.example' }) },
    { title: 'RFC 9068 §4: an issuer with a trailing slash', token: await issuer.token({ iss: `${issuer.issuer}/` }) },
    {
      title: 'RFC 9068 §4: a foreign key with the same kid',
      token: await signToken(await makeSigningKey(key.kid), issuer.claims()),
    },
    { title: 'RFC 8725 §3.2: alg none', token: `${encode({ alg: 'none', typ: 'at+jwt', kid: key.kid })}.${claims}.` },
    {
      title: 'RFC 8725 §3.2: alg none over a signature',
      token: `${encode({ alg: 'none', kid: key.kid })}.${claims}.${signature}`,
    },
    { title: 'RFC 8725 §3.2: no signature', token: `${header}.${payload}.` },
    {
      title: 'RFC 8725 §2.1: HS256 keyed with the public key',
      token: `${hs256}.${createHmac('sha256', key.pem).update(hs256).digest('base64url')}`,
    },
    {
      title: 'RFC 8725 §3.1: another algorithm, though the key is right',
      token: await issuer.token({}, { alg: 'RS512' }),
    },
    {
      title: 'RFC 7515 §6: a good signature over other claims',
      token: `${header}.${encode(issuer.claims({ sub: 'admin' }))}.${signature}`,
    },
    { title: 'RFC 8725 §3.11: an ID token', token: await issuer.token(id_token, { typ: 'JWT' }) },
    { title: 'RFC 6749 §1.5: a refresh token', token: `gth_rt_${'A'.repeat(64)}` },
    {
      title: 'RFC 8725 §3.11: a refresh token that is a JWT',
      token: await issuer.token({ token_type: 'refresh' }, { typ: 'JWT' }),
    },
    { title: 'a kid that nobody published', token: await issuer.token({}, { kid: 'unheard-of' }) },
    { title: 'no kid', token: await issuer.token({}, { kid: undefined }) },
    { title: 'garbage', token: 'garbage' },
    { title: 'garbage of three parts', token: 'e30.e30.e30' },
    { title: 'claims that are no object', token: `${header}.${encode('claims')}.${signature}` },
  ]
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
