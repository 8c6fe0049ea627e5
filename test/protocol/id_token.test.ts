import t from 'tap'
import {
  accessTokenHash,
  idTokenClaims,
  responseAlgorithm,
  responseAlgorithms,
} from '../../server/protocol/id_token.ts'
import { makeGrant } from '../helpers/grant.ts'

const grant = makeGrant({ acr: 'urn:example:pwd', auth_time: 90 })
const issued = {
  iss: 'https://id.example.com',
  sub: 'alice',
  nonce: 'n',
  access_token: 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y',
  alg: 'RS256',
  now: 100,
  lifetime_seconds: 300,
  claims: {},
} as const

t.test('OpenID Connect Core §2: what an ID token says', async (t) => {
  t.strictSame(idTokenClaims(grant, issued), {
    iss: 'https://id.example.com',
    sub: 'alice',
    aud: 'app',
    iat: 100,
    exp: 400,
    auth_time: 90,
    nonce: 'n',
    acr: 'urn:example:pwd',
    amr: ['pwd'],
    sid: 'session',
    at_hash: '77QmUPtjPfzWtF2AnpK9RQ',
  })
})

t.test('OpenID Connect Core §12.2: the ID token of a refresh has no nonce, and the same auth_time', async (t) => {
  const claims = idTokenClaims(grant, { ...issued, nonce: null, now: 1000 })
  t.notOk('nonce' in claims)
  t.match(claims, { auth_time: 90, iat: 1000 })
})

t.test('what is not known is left out', async (t) => {
  const claims = idTokenClaims({ ...grant, acr: null, amr: [] }, issued)
  t.notOk('acr' in claims || 'amr' in claims)
})

t.test('no claim about the account passes for one about the sign-in', async (t) => {
  const claims = { sub: 'mallory', aud: 'other', nonce: 'other', email: 'alice@example.com' }
  t.match(idTokenClaims(grant, { ...issued, claims }), { sub: 'alice', aud: 'app', nonce: 'n', email: claims.email })
})

t.test(
  'OpenID Connect Core §3.1.3.6: at_hash is the left half of the hash that the alg of the ID token uses',
  async (t) => {
    t.equal(Buffer.from(accessTokenHash('token', 'ES256'), 'base64url').length, 16)
    t.equal(Buffer.from(accessTokenHash('token', 'EdDSA'), 'base64url').length, 32)
    t.not(accessTokenHash('token', 'RS256'), accessTokenHash('tokem', 'RS256'))
  },
)

t.test('FAPI 2.0 Security Profile §5.4.1: RS256 signs nothing there', async (t) => {
  t.equal(responseAlgorithm(undefined, 'oauth21'), 'RS256')
  t.equal(responseAlgorithm('ES256', 'oauth21'), 'ES256')
  t.equal(responseAlgorithm(undefined, 'fapi2'), 'PS256')
  t.equal(responseAlgorithm('RS256', 'fapi2'), 'PS256')
  t.equal(responseAlgorithm('EdDSA', 'fapi2'), 'EdDSA')
  t.notOk(responseAlgorithms('fapi2').includes('RS256'))
})
