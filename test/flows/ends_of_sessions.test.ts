/** The table of docs/sessions.md, line by line, as a browser, a client and a resource server see it. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Client } from '../../server/protocol/client.ts'
import { buildTestAdmin } from '../helpers/admin.ts'
import { basic, PASSWORD } from '../helpers/app.ts'
import { authorizationCodeFlow, type Browser, createBrowser, WEB_CLIENT } from '../helpers/web_client.ts'

const SECRET = 'a client secret of some length'

const admin = await buildTestAdmin(t, { config: { tokens: { access_token_seconds: 86_400 } } })
await admin.createAccount({ username: 'somebody-else' })

/** What the table tells of. */
interface Remains {
  readonly session: boolean
  /** Of the grant without `offline_access`: refresh token, access token at UserInfo, at introspection. */
  readonly online: boolean
  readonly offline: boolean
  readonly told: boolean
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

/** A person who has signed in to a client twice, in one session. */
interface Scene {
  readonly username: string
  readonly client: Pick<Client, 'client_id' | 'redirect_uris'>
  readonly browser: Browser
  readonly online: Tokens
  readonly offline: Tokens
}

interface Event {
  readonly line: string
  readonly remains: Remains
  run(scene: Scene): Promise<unknown>
}

const SIGNED_OUT = { session: false, online: false, offline: true, told: true }
const EVERYTHING = { session: false, online: false, offline: false, told: true }
const THIS_CLIENT = { session: true, online: false, offline: false, told: false }

const events: readonly Event[] = [
  {
    line: 'the person signs out',
    remains: SIGNED_OUT,
    run: async ({ browser }) => browser.submit(await browser.open('/logout'), { decision: 'confirm' }),
  },
  {
    line: 'an administrator ends the session',
    remains: SIGNED_OUT,
    async run({ username }) {
      const { items } = (await admin.call('GET', `sessions?account=${username}`)).json()
      return admin.call('DELETE', `sessions/${items[0].session_id}`)
    },
  },
  {
    line: "an administrator ends the account's sessions",
    remains: SIGNED_OUT,
    run: ({ username }) => admin.call('POST', 'sessions/end', { account: username }),
  },
  {
    line: 'somebody else signs in at the same browser',
    remains: SIGNED_OUT,
    async run({ client, browser }) {
      const person = { username: 'somebody-else' }
      return authorizationCodeFlow(admin, { client, parameters: { prompt: 'login' }, person, browser })
    },
  },
  {
    line: 'the account is disabled',
    remains: EVERYTHING,
    run: ({ username }) => admin.call('POST', `accounts/${username}/disable`),
  },
  {
    line: 'an administrator replaces the password',
    remains: EVERYTHING,
    async run({ username }) {
      const password_hash = await admin.deps.passwords.hash(`another ${PASSWORD}`)
      return admin.call('POST', 'apply', { users: [{ username, password_hash }] })
    },
  },
  {
    line: 'the consent is withdrawn',
    remains: THIS_CLIENT,
    run: ({ username, client }) => admin.call('DELETE', `consents?account=${username}&client_id=${client.client_id}`),
  },
  {
    line: 'the client is deleted',
    remains: THIS_CLIENT,
    run: ({ client }) => admin.call('DELETE', `clients/${client.client_id}`),
  },
  {
    line: "an administrator revokes the client's grants",
    remains: THIS_CLIENT,
    run: ({ client }) => admin.call('POST', 'revocations', { client_id: client.client_id }),
  },
  {
    line: 'the session expires',
    remains: { session: false, online: true, offline: true, told: false },
    run: async () => admin.clock.advance(admin.deps.config.sessions.idle_seconds),
  },
]

for (const [index, event] of events.entries()) {
  t.test(event.line, async (t) => {
    const scene = await signIn(`person-${index}`, `client-${index}`)
    t.same(await whatRemains(scene), { session: true, online: true, offline: true, told: false }, 'before')
    await event.run(scene)
    t.same(await whatRemains(scene), event.remains)
  })
}

t.test('docs/sessions.md says the same', async (t) => {
  const document = readFileSync(new URL('../../docs/sessions.md', import.meta.url), 'utf8')
  const lines = [...document.matchAll(/^\| ([^|]+?) +\| (\w+) +\| (\w+) +\| (\w+) +\| (\w+) +\|$/gm)].map(
    ([, ...cells]) => cells,
  )
  const word = (stays: boolean) => (stays ? 'stays' : 'ends')
  t.same(
    lines,
    events.map(({ line, remains: { session, online, offline, told } }) => [
      line,
      word(session),
      word(online),
      word(offline),
      told ? 'yes' : 'no',
    ]),
  )
})

async function signIn(username: string, client_id: string): Promise<Scene> {
  await admin.createAccount({ username })
  const client = { ...WEB_CLIENT, client_id }
  await admin.createClient({
    ...client,
    client_secret: SECRET,
    first_party: false,
    // Its refresh tokens can be shown again and again.
    refresh_token_profile: 'fixed',
    backchannel_logout_uri: 'https://app.example/out',
  })
  const browser = createBrowser(admin)
  const tokens = async (scope: string): Promise<Tokens> => {
    const flow = { client, parameters: { scope }, person: { username }, browser }
    const { code, code_verifier, redirect_uri } = await authorizationCodeFlow(admin, flow)
    const form = { grant_type: 'authorization_code', code, code_verifier, redirect_uri }
    const response = await admin.postForm('/token', form, basic(client_id, SECRET))
    if (response.statusCode !== 200) throw new Error(response.body)
    return response.json()
  }
  return { username, client, browser, online: await tokens('openid'), offline: await tokens('openid offline_access') }
}

async function whatRemains({ username, client, browser, online, offline }: Scene): Promise<Remains> {
  const page = await browser.open('/login')
  const { items } = (await admin.call('GET', `logout-deliveries?client_id=${client.client_id}`)).json()
  return {
    session: page.body.includes('You are signed in') && page.body.includes(username),
    online: await stands(client.client_id, online),
    offline: await stands(client.client_id, offline),
    told: items.length === 1,
  }
}

/** Everywhere or nowhere: a token that one place still takes and another does not is a fault. */
async function stands(client_id: string, { access_token, refresh_token }: Tokens): Promise<boolean> {
  const authentication = basic(client_id, SECRET)
  const answers = [
    await admin.inject({ url: '/userinfo', headers: { authorization: `Bearer ${access_token}` } }),
    await admin.postForm('/introspect', { token: access_token }, authentication),
    await admin.postForm('/token', { grant_type: 'refresh_token', refresh_token }, authentication),
  ]
  const accepted = answers.map(({ statusCode, body }) => statusCode === 200 && body !== '{"active":false}')
  if (new Set(accepted).size > 1) throw new Error(answers.map(({ body }) => body).join('\n'))
  return accepted[0] === true
}
