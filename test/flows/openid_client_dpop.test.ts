/** openid-client, unchanged: tokens that are bound to its key, by servers that give nonces and by those that do not. */
import * as client from 'openid-client'
import t from 'tap'
import { clientKey } from '../helpers/client_keys.ts'
import { serveClients, signedBy, thrownBy } from '../helpers/clients.ts'
import { relyingParties } from '../helpers/openid_client.ts'

const servers = await Promise.all([serveClients(t), serveClients(t, { GATEHOUSE_DPOP__NONCE: 'true' })])

for (const [at, served] of servers.entries()) {
  const { register, codeFlow } = relyingParties(served)
  const under = at === 0 ? 'without nonces' : 'with nonces (§8)'

  t.test(`RFC 9449 §5, §7.1: a public client from code to UserInfo and refresh, ${under}`, async (t) => {
    for (const alg of ['ES256', 'PS256', 'EdDSA', 'RS256']) {
      const config = await register({ dpop_bound_access_tokens: true })
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
      const { tokens, claims } = await codeFlow({ config, options: { DPoP } })
      t.equal(tokens.token_type, 'dpop', alg)
      const user = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '', { DPoP })
      t.equal(user.sub, served.alice.account_id)

      const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
      const stolen = client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '', { DPoP: other })
      t.match(await thrownBy(stolen), { status: 401 }, 'another key opens nothing')
      const refused = await thrownBy(client.refreshTokenGrant(config, tokens.refresh_token ?? '', {}, { DPoP: other }))
      t.match(refused, { error: /^invalid_(grant|dpop_proof)$/ }, '§5: and refreshes nothing')

      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', {}, { DPoP })
      t.equal(refreshed.token_type, 'dpop')
      t.equal((await client.fetchUserInfo(config, refreshed.access_token, user.sub, { DPoP })).sub, user.sub)
    }
  })

  t.test(`RFC 9449 §10.1: the key is named when the request is pushed, ${under}`, async (t) => {
    const key = await clientKey('ES256')
    const config = await register(
      { ...signedBy(key), require_pushed_authorization_requests: true },
      client.PrivateKeyJwt(key.private_key),
    )
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const build: typeof client.buildAuthorizationUrlWithPAR = (config, parameters) =>
      client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
    t.match(await codeFlow({ config, build, options: { DPoP } }), { tokens: { token_type: 'dpop' } })

    const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    t.match(await thrownBy(codeFlow({ config, build, options: { DPoP: other } })), {
      error: /^invalid_(grant|dpop_proof)$/,
    })
    t.match(await thrownBy(codeFlow({ config, build })), { error: /^invalid_(grant|dpop_proof)$/ }, 'nor does no key')
  })
}
