import { createHash } from 'node:crypto'
import type { TestApp } from '../helpers/app.ts'
import { type ClientKey, clientKey, dpopProof } from '../helpers/client_keys.ts'
import { fapi2Party } from '../helpers/fapi2_party.ts'
import { assertionForm } from '../helpers/relying_party.ts'

export const REDIRECT_URI = 'https://suite.example/test/a/gatehouse/callback'

/** A client of the suite, with its keys: private_key_jwt with PS256, DPoP with ES256. */
export async function suiteClient(server: TestApp, client_id: string) {
  const { issuer, clock } = server
  const key = await clientKey('PS256')
  const dpop = await clientKey()
  const client = await server.createClient({
    client_id,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key.public_jwk] },
    dpop_bound_access_tokens: true,
    redirect_uris: [REDIRECT_URI, `${REDIRECT_URI}?dummy1=lorem&dummy2=ipsum`],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: 'openid profile email offline_access',
    first_party: false,
  })
  const sign = (claims: object = {}, header: object = {}, by: ClientKey = key) =>
    assertionForm(by, { client_id, audience: issuer, now: clock.now() }, { ...claims }, { ...header })
  const prove = (path: string, claims: object = {}, by: ClientKey = dpop, header: object = {}) =>
    dpopProof(by, { htu: `${issuer}${path}`, now: clock.now() }, { ...claims }, { ...header })
  const proof = async (path: string, claims: object = {}, by?: ClientKey) => ({ dpop: await prove(path, claims, by) })
  const party = fapi2Party(server, {
    client_id,
    redirect_uri: REDIRECT_URI,
    authenticate: async () => ({ form: await sign() }),
    constrain: (htm, path, access_token) => proof(path, { htm, ...ath(access_token) }),
  })
  return { client, dpop, sign, prove, proof, party }
}

export function ath(access_token: string | undefined): { ath?: string } {
  return access_token === undefined ? {} : { ath: createHash('sha256').update(access_token).digest('base64url') }
}
