/**
 * Debian's mod_auth_openidc, unchanged: Apache signs people in for an application behind it, and guards an API. It is in
 * front of Gatehouse, too, because the module reads tokens with the help of https only.
 */
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import type { Client } from '../../server/protocol/client.ts'
import { apiHost, applicationHost, noApache, startApache, tlsHost } from '../helpers/apache.ts'
import { basic } from '../helpers/app.ts'
import { certificateMaker } from '../helpers/certificates.ts'
import { SECRET, serveClients } from '../helpers/clients.ts'
import { freePort } from '../helpers/process.ts'
import { type Browser, createBrowser, formIn, type Landing, signInThroughPages } from '../helpers/web_client.ts'

const API = 'https://api.example'

/** The application behind Apache. It answers with the headers that it was sent. */
async function startApplication(t: Test): Promise<string> {
  const server = createServer((received, response) => response.end(JSON.stringify(received.headers)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

/** What each application behind Apache is registered with, and what it has in Apache's configuration. */
const APPLICATIONS = {
  guarded: {
    directives: 'OIDCPKCEMethod S256',
    registration: (origin: string): Partial<Client> => ({
      post_logout_redirect_uris: [`${origin}/bye`],
      backchannel_logout_uri: `${origin}/oidc?logout=backchannel`,
    }),
  },
  nonce_only: {
    directives: 'OIDCProviderTokenEndpointAuth client_secret_post\nOIDCResponseMode form_post',
    registration: (origin: string): Partial<Client> => ({
      token_endpoint_auth_method: 'client_secret_post',
      require_pkce: false,
      frontchannel_logout_uri: `${origin}/oidc?logout=get`,
      frontchannel_logout_session_required: true,
    }),
  },
  careless: { directives: '', registration: (): Partial<Client> => ({}) },
} as const

type Application = keyof typeof APPLICATIONS
type Place = Application | 'issuer' | 'reading_api' | 'asking_api'

async function prepare(t: Test) {
  const certificate = certificateMaker(t).selfSigned('/CN=localhost', ['subjectAltName=DNS:localhost'])
  const { certificate_file } = certificate
  chmodSync(dirname(certificate_file), 0o755)
  const ports = {
    issuer: await freePort(),
    guarded: await freePort(),
    nonce_only: await freePort(),
    careless: await freePort(),
    reading_api: await freePort(),
    asking_api: await freePort(),
  } satisfies Record<Place, number>
  const issuer = `https://localhost:${ports.issuer}`
  const served = await serveClients(t, {
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_HTTP__TRUST_PROXY: '127.0.0.1/32',
    GATEHOUSE_OUTBOUND__ALLOW: 'localhost',
  })
  const behind = await startApplication(t)
  const origin = (place: Place) => (place === 'issuer' ? issuer : `http://localhost:${ports[place]}`)
  const host = (client_id: string) => ({ issuer, certificate_file, client_id, client_secret: SECRET, behind })

  const application = async (name: Application): Promise<string> => {
    const { directives, registration } = APPLICATIONS[name]
    await served.webClient({
      client_id: name,
      client_secret: SECRET,
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [`${origin(name)}/oidc`],
      ...registration(origin(name)),
    })
    return applicationHost(host(name), origin(name), directives)
  }
  await startApache(t, {
    [ports.issuer]: tlsHost(certificate, `http://127.0.0.1:${served.server.env.GATEHOUSE_PORT}`),
    [ports.guarded]: await application('guarded'),
    [ports.nonce_only]: await application('nonce_only'),
    [ports.careless]: await application('careless'),
    [ports.reading_api]: apiHost(host('api'), API, 'itself'),
    [ports.asking_api]: apiHost(host('api'), API, 'by asking'),
  })

  const dispatcher = new Agent({ connect: { ca: certificate.certificate } })
  t.teardown(() => dispatcher.close())
  return {
    ...served,
    origin,
    /** Asks for pages: of anything else mod_auth_openidc thinks that it is a script, and answers 401. */
    browserAt: (place: Place): Browser =>
      createBrowser({
        issuer: origin(place),
        async inject({ method, url, headers, payload }) {
          const asked = { method, headers: { accept: 'text/html', ...headers }, body: payload ?? null, dispatcher }
          const { statusCode, headers: received, body } = await request(new URL(url, origin(place)), asked)
          return { statusCode, headers: received, body: await body.text() }
        },
      }),
  }
}

const skip = noApache()
if (skip) process.stderr.write(`test/flows/apache.test.ts SKIPPED: ${skip}\n`)

t.setTimeout(60_000)
t.test('Apache with mod_auth_openidc', { skip }, async (t) => {
  const served = await prepare(t)
  const { alice, deps, issuer, origin, browserAt } = served

  /** Opens a page of an application's, and signs in on the way when that is asked for. */
  async function enter(name: Application, browser: Browser, person: Browser): Promise<Landing> {
    const away = await browser.open(`${origin(name)}/private?a=1`)
    if (!away.left) return away
    const back = await signInThroughPages(person, away.url.href)
    if (back.left) return browser.open(back.url.href)
    const { action, fields } = formIn(back.body)
    return browser.post(action, fields)
  }

  async function isIn(name: Application, browser: Browser): Promise<boolean> {
    const { left, statusCode } = await browser.open(`${origin(name)}/private`)
    return !left && statusCode === 200
  }

  t.test('OpenID Connect Core §3.1, §5.3: the application learns who it is, from ID token and UserInfo', async (t) => {
    const [browser, person] = [browserAt('guarded'), browserAt('issuer')]
    const { url } = await browser.open(`${origin('guarded')}/private`)
    t.equal(url.searchParams.get('code_challenge_method'), 'S256', 'RFC 7636 §4.3')
    const landing = await enter('guarded', browser, person)
    t.equal(landing.statusCode, 200)
    t.equal(landing.url.href, `${origin('guarded')}/private?a=1`, 'where the person was going')
    t.match(JSON.parse(landing.body), {
      'x-remote-user': 'alice@example.com',
      oidc_claim_sub: alice.account_id,
      oidc_claim_iss: issuer,
      oidc_claim_aud: 'guarded',
      oidc_claim_name: 'Alice Adams',
      oidc_claim_zoneinfo: 'Europe/Berlin',
      oidc_claim_email_verified: '1',
      oidc_claim_amr: 'pwd',
      oidc_claim_sid: String,
    })
  })

  t.test('RFC 7636: without PKCE only a client for which it is waived gets in', async (t) => {
    const [browser, person] = [browserAt('nonce_only'), browserAt('issuer')]
    t.match(
      await enter('nonce_only', browser, person),
      { left: false, statusCode: 200 },
      'form_post, client_secret_post',
    )
    const careless = browserAt('careless')
    const away = await careless.open(`${origin('careless')}/private`)
    const back = await person.open(away.url.href)
    t.equal(back.url.searchParams.get('error_description'), 'code_challenge is missing')
    await careless.open(back.url.href)
    t.notOk(await isIn('careless', careless))
  })

  t.test('RP-Initiated Logout §2: its logout ends the session here, and leads back to it', async (t) => {
    const [browser, person] = [browserAt('guarded'), browserAt('issuer')]
    await enter('guarded', browser, person)
    const bye = `${origin('guarded')}/bye`
    const away = await browser.open(`${origin('guarded')}/oidc?logout=${encodeURIComponent(bye)}`)
    t.equal(away.url.origin + away.url.pathname, `${issuer}/logout`)
    t.equal((await person.open(away.url.href)).url.href, bye)
    const again = await browser.open(`${origin('guarded')}/private`)
    t.ok(again.left, 'signed out there')
    t.match((await person.open(again.url.href)).body, /id="login-submit"/, 'and here')
  })

  t.test('Back-Channel and Front-Channel Logout: who signs out here is signed out there', async (t) => {
    const [guarded, nonce_only, person] = [browserAt('guarded'), browserAt('nonce_only'), browserAt('issuer')]
    await enter('guarded', guarded, person)
    await enter('nonce_only', nonce_only, person)
    const elsewhere = browserAt('guarded')
    await enter('guarded', elsewhere, browserAt('issuer'))

    const done = await person.submit(await person.open(`${issuer}/logout`), { decision: 'confirm' })
    const [, frame = ''] = /<iframe src="([^"]+)"/.exec(done.body) ?? []
    t.ok(await isIn('nonce_only', nonce_only), 'front-channel: until the browser has loaded the frame')
    await nonce_only.open(frame.replaceAll('&amp;', '&'))
    t.notOk(await isIn('nonce_only', nonce_only), 'front-channel')

    const deadline = performance.now() + 15_000
    while ((await isIn('guarded', guarded)) && performance.now() < deadline) await sleep(100)
    t.notOk(await isIn('guarded', guarded), 'back-channel')
    t.ok(await isIn('guarded', elsewhere), "the person's other sessions stay")
  })

  t.test('RFC 6750, RFC 7662: it guards an API', async (t) => {
    const now = deps.clock.now()
    const registered = {
      access_token_seconds: null,
      claims: {},
      token_typ: 'at+jwt' as const,
      signing_alg: 'RS256',
      created_at: now,
      updated_at: now,
    } as const
    const described = { scopes: ['read', 'write'], introspection_clients: ['api'], authorization_details_types: [] }
    await deps.store.createResource({ resource: API, ...registered, ...described }, [])
    await served.client({ client_id: 'api', client_secret: SECRET })
    const resources = [API, issuer]
    await served.client({ client_id: 'service', client_secret: SECRET, scope: 'read write', resources })
    const post = async (path: string, form: Record<string, string>) => {
      const { authorization } = basic('service', SECRET)
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
      return (await browserAt('issuer').post(`${issuer}${path}`, form, headers)).body
    }
    const token = async (scope: string, resource = API): Promise<string> =>
      JSON.parse(await post('/token', { grant_type: 'client_credentials', scope, resource })).access_token
    for (const api of ['reading_api', 'asking_api'] as const) {
      const get = (access_token: string) =>
        browserAt(api).open(origin(api), { authorization: `Bearer ${access_token}` })
      const good = await token('read')
      const answer = await get(good)
      t.equal(answer.statusCode, 200, api)
      t.match(JSON.parse(answer.body), { oidc_claim_iss: issuer, oidc_claim_client_id: 'service' })
      t.equal((await get(`${good.slice(0, -8)}AAAAAAAA`)).statusCode, 401, 'a forged one')
      t.equal((await get(await token('write'))).statusCode, 401, 'without the scope')
      t.equal((await get(await token('read', issuer))).statusCode, 401, 'for another audience')
      await post('/revoke', { token: good })
      t.equal((await get(good)).statusCode, api === 'asking_api' ? 401 : 200, 'a revoked one: who asks knows at once')
    }
  })
})
