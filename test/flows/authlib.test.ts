/** Python's Authlib, unchanged: a Flask application that signs people in, and a client that works with a session alone. */
import { exportJWK } from 'jose'
import t from 'tap'
import type { TokenEndpointAuthMethod } from '../../server/protocol/client.ts'
import { startProgram } from '../helpers/child_process.ts'
import { clientKey } from '../helpers/client_keys.ts'
import { CALLBACK, type Registration, SECRET, serveClients, siteAt } from '../helpers/clients.ts'
import { runClient } from '../helpers/other_language.ts'
import { INSTALL_SECONDS, pythonPackages } from '../helpers/python.ts'
import { createBrowser } from '../helpers/web_client.ts'

const FOLDER = new URL('authlib/', import.meta.url).pathname
const ENVIRONMENT = new URL('../../.python/authlib', import.meta.url).pathname

t.setTimeout((INSTALL_SECONDS + 60) * 1_000)
const python = await pythonPackages(`${FOLDER}requirements.txt`, ENVIRONMENT)

if ('unavailable' in python) {
  const said = `SKIPPED: no Python packages: ${python.unavailable}`
  process.stderr.write(`test/flows/authlib.test.ts ${said}\n`)
  t.pass('Authlib', { skip: said })
} else {
  const { bin } = python
  const { issuer, alice, site, webClient, visit } = await serveClients(t)

  t.test(
    'OpenID Connect Core §3.1, RP-Initiated Logout §2: people sign in to a Flask application, and out',
    async (t) => {
      const flask = await startProgram({
        command: `${bin}/flask`,
        args: ['--app', 'web_app', 'run', '--port=0'],
        cwd: FOLDER,
        env: { ISSUER: issuer, CLIENT_ID: 'flask', CLIENT_SECRET: SECRET, PYTHONDONTWRITEBYTECODE: '1' },
        ready: /Running on (http:\S+)/,
      })
      t.teardown(() => flask.stop())
      const origin = String(flask.match[1])
      await webClient({
        client_id: 'flask',
        client_secret: SECRET,
        token_endpoint_auth_method: 'client_secret_basic',
        redirect_uris: [`${origin}/callback`],
        post_logout_redirect_uris: [`${origin}/me`],
      })
      const [browser, person] = [createBrowser(siteAt(origin)), createBrowser(site)]
      const away = await browser.open(`${origin}/login`)
      t.match(Object.fromEntries(away.url.searchParams), {
        code_challenge_method: 'S256',
        nonce: String,
        state: String,
      })
      const me = await browser.open((await visit(away.url, {}, person)).url.href)
      t.match(JSON.parse(me.body), {
        ...{ iss: issuer, sub: alice.account_id, amr: ['pwd'] },
        ...{ name: 'Alice Adams', email: 'alice@example.com', email_verified: true },
      })
      const back = await person.open((await browser.open(`${origin}/logout`)).url.href)
      t.equal(back.url.origin + back.url.pathname, `${origin}/me`)
      t.equal((await browser.open(back.url.href)).statusCode, 401)
      const again = await person.open((await browser.open(`${origin}/login`)).url.href)
      t.match(again.body, /id="login-submit"/, 'the session here has ended, too')
    },
  )

  t.test('RFC 6749, RFC 7009, RFC 7662, OpenID Connect Core §12: what a session does', async (t) => {
    const { private_key, public_jwk } = await clientKey('ES256')
    const key = { ...(await exportJWK(private_key)), kid: public_jwk.kid }
    const ways: { method: TokenEndpointAuthMethod; registered: Registration; holds: object }[] = [
      { method: 'client_secret_basic', registered: { client_secret: SECRET }, holds: { client_secret: SECRET } },
      { method: 'client_secret_post', registered: { client_secret: SECRET }, holds: { client_secret: SECRET } },
      { method: 'private_key_jwt', registered: { jwks: { keys: [public_jwk] } }, holds: { private_key: key } },
    ]
    for (const { method, registered, holds } of ways) {
      const { client_id } = await webClient({
        ...registered,
        token_endpoint_auth_method: method,
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        scope: 'openid profile offline_access read',
      })
      const settings = { issuer, client_id, method, redirect_uri: CALLBACK, ...holds }
      const program = { command: `${bin}/python`, args: [`${FOLDER}session.py`], settings }
      const sub = alice.account_id
      t.match(
        await runClient(program, async (url) => (await visit(url)).url.href),
        {
          service: { token_type: 'Bearer', scope: 'read', expires_in: 300 },
          claims: { iss: issuer, sub, aud: client_id, nonce: String, at_hash: String },
          user: { sub, name: 'Alice Adams' },
          refreshed_claims: { sub },
          introspected: [{ active: true, sub, client_id }, { active: false }],
          refusal: 'invalid_grant',
        },
        method,
      )
    }
  })
}
