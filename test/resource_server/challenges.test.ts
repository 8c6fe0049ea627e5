/** What is answered to who is not let in. */
import t from 'tap'
import { protectedResourceMetadataUrl } from '../../resource_server/protected_resource_metadata.ts'
import type { Requirements } from '../../resource_server/verifier.ts'
import { VerifierError } from '../../resource_server/verifier_error.ts'
import { inMemoryIssuer, verdict } from '../helpers/in_memory_issuer.ts'

const issuer = await inMemoryIssuer(t)
const resource_metadata = 'https://api.example.com/.well-known/oauth-protected-resource'
const verifier = issuer.verifier({ dpop: 'off' })
const described = issuer.verifier({ resource_metadata })

async function refusal(
  by: typeof verifier,
  presented: Parameters<typeof verifier.verify>[0],
  requirements?: Requirements,
) {
  const error: unknown = await by.verify(presented, requirements).catch((error: unknown) => error)
  if (error instanceof VerifierError) return error
  throw new Error('it was let in')
}
const saying = (authorization: string | undefined) => ({
  method: 'GET',
  url: '/',
  headers: authorization === undefined ? {} : { authorization },
})

t.test('RFC 6750 §3.1: without a token the challenge has no error', async (t) => {
  for (const authorization of [undefined, '', 'Basic YTpi', 'Bearerx', 'Negotiate x']) {
    const error = await refusal(verifier, saying(authorization))
    t.match(error, { status: 401, code: 'token_required', challenge: 'Bearer' }, String(authorization))
  }
  const error = await refusal(described, new Request('https://api.example.com/'), { scope: 'read' })
  t.match(error.challenge, `Bearer scope="read", resource_metadata="${resource_metadata}", DPoP algs="ES256`)
})

t.test('RFC 6750 §3.1: a malformed header is 400 invalid_request', async (t) => {
  for (const authorization of [
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,b',
    'Bearer a, Bearer b',
    'Bearer "x"',
    'DPoP',
    'Bearer é',
  ]) {
    const error = await refusal(verifier, saying(authorization))
    t.match(
      error,
      { status: 400, code: 'invalid_request', challenge: /^Bearer error="invalid_request"/ },
      authorization,
    )
  }
})

t.test('RFC 6750 §2.1: the scheme in any spelling, and no other place', async (t) => {
  const token = await issuer.token()
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  '])
    t.equal(await verdict(verifier, saying(`${scheme} ${token}`)), 'good')
  const elsewhere = { method: 'POST', url: `/?access_token=${token}`, headers: { 'x-access-token': token } }
  t.match(await verdict(verifier, elsewhere), /^token_required/)
})

t.test(
  'RFC 6750 §3.1: a bad token is 401 invalid_token, and the caller is not told what exactly is wrong',
  async (t) => {
    const error = await refusal(described, saying(`Bearer ${await issuer.token({ aud: 'x' })}`))
    t.match(error, { status: 401, statusCode: 401, code: 'invalid_token', reason: 'the aud is another resource' })
    t.match(error.challenge, /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="/)
    t.equal(error.headers['www-authenticate'], error.challenge)
    t.equal(error.headers['cache-control'], 'no-store')
    t.strictSame(error.body(), { error: 'invalid_token', error_description: 'The access token is not valid.' })
  },
)

t.test(
  'RFC 6750 §3.1: a token without a scope that is needed is 403 insufficient_scope, which says which',
  async (t) => {
    const token = await issuer.token({ scope: 'read write' })
    for (const scope of ['read', 'write', 'read write', 'write read', ''])
      t.equal(await verdict(verifier, token, { scope }), 'good', scope)
    for (const scope of ['admin', 'read admin', 'rea', 'read,write']) {
      const error = await refusal(verifier, token, { scope })
      t.match(error, { status: 403, code: 'insufficient_scope' })
      t.match(error.challenge, `Bearer error="insufficient_scope"`)
      t.match(error.challenge, `, scope="${scope}"`)
    }
    for (const scope of [undefined, ''])
      t.match(await verdict(verifier, await issuer.token({ scope }), { scope: 'read' }), /^insufficient_scope/)
  },
)

t.test('RFC 9470 §3: too long ago, or not strong enough, is 401 insufficient_user_authentication', async (t) => {
  const now = issuer.clock
  const token = await issuer.token({ auth_time: now - 100, acr: 'silver' })
  for (const requirements of [{ max_age: 100 }, { acr_values: 'silver' }, { acr_values: 'gold silver', max_age: 200 }])
    t.equal(await verdict(verifier, token, requirements), 'good', JSON.stringify(requirements))
  const late = await refusal(described, token, { max_age: 99 })
  t.match(late, { status: 401, code: 'insufficient_user_authentication' })
  t.match(
    late.challenge,
    /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="99", resource_metadata=/,
  )
  const weak = await refusal(verifier, token, { acr_values: 'gold platinum', max_age: 500 })
  t.match(weak.challenge, 'acr_values="gold platinum", max_age="500"')
  const silent = await issuer.token()
  t.match(await verdict(verifier, silent, { max_age: 1e9 }), /^insufficient_user/, 'nobody says when')
  t.match(await verdict(verifier, silent, { acr_values: 'silver' }), /^insufficient_user/, 'nobody says how')
})

t.test('RFC 9449 §7.1: DPoP is offered with its algorithms where it is taken', async (t) => {
  const allowed = issuer.verifier({ dpop_algorithms: ['ES256', 'EdDSA'] })
  t.equal((await refusal(allowed, saying(undefined))).challenge, 'Bearer, DPoP algs="ES256 EdDSA"')
  t.match(
    (await refusal(allowed, saying('DPoP x'))).challenge,
    /^DPoP error="invalid_token", error_description="[^"]+", algs="ES256 EdDSA"$/,
  )
  const required = issuer.verifier({ dpop: 'required', dpop_algorithms: ['ES256'] })
  t.equal((await refusal(required, saying(undefined))).challenge, 'DPoP algs="ES256"')
})

t.test('RFC 9110 §5.6.4: what stands in a challenge stays inside its quotes', async (t) => {
  const error = await refusal(verifier, await issuer.token(), { scope: 'a"b\\c\r\nset-cookie: x', acr_values: 'é' })
  t.match(error.challenge, 'scope="a\\"b\\\\cset-cookie: x"')
})

t.test('RFC 9728 §2, §3.1: the metadata of the API, and where it is', async (t) => {
  t.strictSame(verifier.metadata({ scopes_supported: ['read'] }), {
    resource: issuer.audience,
    authorization_servers: [issuer.issuer],
    bearer_methods_supported: ['header'],
    scopes_supported: ['read'],
  })
  t.match(issuer.verifier({ dpop: 'required' }).metadata(), {
    dpop_bound_access_tokens_required: true,
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
  })
  const well_known = '.well-known/oauth-protected-resource'
  t.equal(protectedResourceMetadataUrl('https://api.example.com'), `https://api.example.com/${well_known}`)
  t.equal(protectedResourceMetadataUrl('https://api.example.com/mcp/'), `https://api.example.com/${well_known}/mcp/`)
  t.equal(protectedResourceMetadataUrl('https://api.example.com/a?b=c'), `https://api.example.com/${well_known}/a?b=c`)
})
