/**
 * An issuer that does what the real one never would: signs any header over any claims, publishes any set of keys,
 * is down when told to. For what verifiers must refuse.
 */
import { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { CompactSign, calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose'
import type { Test } from 'tap'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: JWK
  /** The public key as text, which an attacker may try as an HMAC secret. */
  readonly pem: string
}

export type Claims = Record<string, unknown>

/** A fresh RS256 key. @param kid its own thumbprint, unless it poses as another key */
export async function makeSigningKey(kid?: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const { kty, n, e } = await exportJWK(publicKey)
  if (kty === undefined || n === undefined || e === undefined) throw new Error('not an RSA key')
  const name = kid ?? (await calculateJwkThumbprint({ kty, n, e }))
  const jwk = { kid: name, kty, use: 'sig', alg: 'RS256', n, e }
  // A CryptoKey would sign with RS256 only.
  return { kid: name, privateKey: KeyObject.from(privateKey), jwk, pem: await exportSPKI(publicKey) }
}

/** Signs claims as an access token of RFC 9068. @param header replaces members of the header */
export function signToken(key: SigningKey, claims: Claims, header: Claims = {}): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header })
    .sign(key.privateKey)
}

export interface StandInIssuer {
  readonly issuer: string
  readonly audience: string
  /** How often the key set was asked for. */
  readonly jwks_requests: number
  /** What it publishes. It signs with the first. */
  keys: readonly [SigningKey, ...SigningKey[]]
  /** What is in the set beside its keys, and is none of a kind that anybody knows. */
  odd_keys: readonly object[]
  /** How long its key set may be kept. */
  max_age_seconds: number
  /** How long it takes to answer. */
  delay_milliseconds: number
  up(): Promise<void>
  down(): Promise<void>
  /** The claims of a good access token. @param changes replaces claims; undefined leaves one out */
  claims(changes?: Claims): Claims
  /** A token signed with its key. */
  token(changes?: Claims, header?: Claims): Promise<string>
}

/** Starts one on a free port of the loopback, which it keeps over being down and up again. It ends with the test. */
export async function startStandInIssuer(test: Pick<Test, 'teardown'>): Promise<StandInIssuer> {
  let jwks_requests = 0
  let port = 0

  const server = createServer((request, response) => {
    const documents: Record<string, () => object> = {
      '/.well-known/openid-configuration': () => ({
        issuer: self.issuer,
        jwks_uri: `${self.issuer}/.well-known/jwks.json`,
      }),
      '/.well-known/jwks.json': () => ({ keys: [...self.odd_keys, ...self.keys.map((key) => key.jwk)] }),
    }
    const document = documents[request.url ?? '']
    if (request.url === '/.well-known/jwks.json') jwks_requests += 1
    const answer = () => {
      response.writeHead(document === undefined ? 404 : 200, {
        'content-type': 'application/json',
        'cache-control': `public, max-age=${self.max_age_seconds}`,
      })
      response.end(JSON.stringify(document?.() ?? {}))
    }
    if (self.delay_milliseconds === 0) answer()
    else setTimeout(answer, self.delay_milliseconds).unref()
  })

  async function up(): Promise<void> {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') port = address.port
  }

  await up()
  const self: StandInIssuer = {
    issuer: `http://127.0.0.1:${port}`,
    audience: 'https://api.example.com',
    keys: [await makeSigningKey()],
    odd_keys: [],
    max_age_seconds: 300,
    delay_milliseconds: 0,
    get jwks_requests() {
      return jwks_requests
    },
    up,
    async down() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    claims(changes = {}) {
      const now = Math.floor(Date.now() / 1000)
      return {
        iss: self.issuer,
        sub: 'account_1',
        aud: self.audience,
        client_id: 'app',
        scope: 'read write',
        iat: now,
        exp: now + 300,
        jti: 'token_1',
        token_type: 'access',
        user_id: 'account_1',
        ...changes,
      }
    },
    token(changes, header) {
      return signToken(self.keys[0], self.claims(changes), header)
    },
  }
  test.teardown(() => self.down())
  return self
}
