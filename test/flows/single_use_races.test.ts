import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Account } from '../../server/protocol/account.ts'
import {
  DEVICE_CODE_GRANT,
  DEVICE_CODE_LABEL,
  newUserCode,
  USER_CODE_LABEL,
} from '../../server/protocol/device_code.ts'
import { randomId } from '../../server/protocol/random_id.ts'
import { basic } from '../helpers/app.ts'
import { assertion, type ClientKey, clientKey, dpopProof } from '../helpers/client_keys.ts'
import { codeFor, codeForm } from '../helpers/code.ts'
import { databaseOf, ENGINES } from '../helpers/engines.ts'
import { seedSession } from '../helpers/session.ts'
import { startTwoNodes, type TwoNodes } from '../helpers/two_nodes.ts'
import { authorizationUrl, WEB_CLIENT } from '../helpers/web_client.ts'
import { sampleDeviceCode } from '../storage/samples_signing_in.ts'

/** Whatever may be used once, shown by many at once at two servers: one of them gets what it is good for. */

const RACERS = 64
const SECRET = 'a client secret of some length'
const SERVICE = basic('service', SECRET)

interface Scene extends TwoNodes {
  readonly alice: Account
  readonly key: ClientKey
}

interface Attempt {
  readonly path: string
  readonly form?: Record<string, string>
  readonly json?: object
  readonly headers?: Record<string, string>
}

interface Seen {
  readonly status: number
  readonly text: string
  readonly location: string
}

interface SingleUse {
  readonly title: string
  /** Makes one, and says how it is shown. */
  readonly prepare: (scene: Scene) => Promise<Attempt>
  readonly won: (seen: Seen) => boolean
  /** What everybody else hears. */
  readonly lost: RegExp
  /** What is left of what the winner got. */
  readonly afterwards?: (t: Test, scene: Scene, winner: Seen) => Promise<void>
}

const ok = ({ status }: Seen) => status === 200

const singleUses: readonly SingleUse[] = [
  {
    title: 'RFC 6749 §4.1.2: an authorization code; who repeats it ends what it became',
    async prepare({ seeder, issuer, alice }) {
      const client = await seeder.client({ ...WEB_CLIENT, client_id: randomUUID() })
      return { path: '/token', form: codeForm(client, await codeFor({ deps: seeder.deps, issuer }, client, alice)) }
    },
    won: ok,
    lost: /^400 .*"invalid_grant"/,
    async afterwards(t, { nodes }, { text }) {
      t.match(await nodes[1].introspect(JSON.parse(text).access_token), { status: 200, body: { active: false } })
    },
  },
  {
    title: 'RFC 8628 §3.5: a device code',
    async prepare({ seeder, issuer, alice }) {
      const { deps } = seeder
      const { client_id } = await seeder.client({ grant_types: [DEVICE_CODE_GRANT] })
      const device_code = randomId(deps.random)
      const now = deps.clock.now()
      const code = sampleDeviceCode({
        device_code_digest: deps.vault.digest(DEVICE_CODE_LABEL, device_code),
        user_code_digest: deps.vault.digest(USER_CODE_LABEL, newUserCode(deps.random)),
        client_id,
        scope: 'openid',
        resources: [issuer],
        authorization_details: [],
        account_id: alice.account_id,
        auth_time: now,
        amr: ['pwd'],
        approved_at: now,
        created_at: now,
        expires_at: now + 600,
      })
      await deps.store.createDeviceCode(code, [])
      return { path: '/token', form: { grant_type: DEVICE_CODE_GRANT, client_id, device_code } }
    },
    won: ok,
    lost: /^400 .*"(?:slow_down|invalid_grant)"/,
  },
  {
    title: 'RFC 9126 §4: a request_uri',
    async prepare({ seeder, issuer, alice, urls }) {
      const web = await seeder.client({ ...WEB_CLIENT, client_id: randomUUID() })
      const { searchParams } = new URL(authorizationUrl({ issuer }, web, { prompt: 'none' }).url)
      const pushed = await show(urls[0], { path: '/par', form: Object.fromEntries(searchParams) })
      const request_uri = String(JSON.parse(pushed.text).request_uri)
      const { handle } = await seedSession(seeder.deps, { account_id: alice.account_id })
      const query = new URLSearchParams({ client_id: web.client_id, request_uri })
      return { path: `/authorize?${query.toString()}`, headers: { cookie: `gatehouse_session=${handle}` } }
    },
    won: ({ status, location }) => status === 303 && new URL(location).searchParams.has('code'),
    lost: /^400 .*request_uri is unknown, expired or used/,
  },
  {
    title: 'RFC 7523 §3: the jti of a client assertion',
    async prepare({ seeder, issuer, key }) {
      const { client_id } = await seeder.client({
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [key.public_jwk] },
      })
      const now = Math.floor(Date.now() / 1000)
      const form = {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(key, { client_id, audience: issuer, now }, { jti: randomUUID() }),
      }
      return { path: '/token', form }
    },
    won: ok,
    lost: /^401 .*"invalid_client"/,
  },
  {
    title: 'RFC 9449 §11.1: the jti of a DPoP proof',
    async prepare({ issuer, key }) {
      const now = Math.floor(Date.now() / 1000)
      const dpop = await dpopProof(key, { htu: `${issuer}/token`, now }, { jti: randomUUID() })
      return { path: '/token', form: { grant_type: 'client_credentials' }, headers: { ...SERVICE, dpop } }
    },
    won: ok,
    lost: /^400 .*"invalid_dpop_proof"/,
  },
  {
    title: 'RFC 7591 §3: an initial access token for one client',
    async prepare({ nodes }) {
      const { body } = await nodes[0].admin('POST', 'initial-access-tokens', { uses: 1 })
      const headers = { authorization: `Bearer ${String(body.initial_access_token)}` }
      return { path: '/register', json: { redirect_uris: ['https://app.example/callback'] }, headers }
    },
    won: ({ status }) => status === 201,
    lost: /^401 .*"invalid_token"/,
  },
]

async function show(url: string, { path, form, json, headers = {} }: Attempt): Promise<Seen> {
  const sent = form === undefined ? json && JSON.stringify(json) : new URLSearchParams(form)
  const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' }
  const body = sent === undefined ? {} : { method: 'POST', body: sent }
  const response = await fetch(`${url}${path}`, { ...body, headers: { ...headers, ...type }, redirect: 'manual' })
  const location = response.headers.get('location') ?? ''
  return { status: response.status, text: (await response.text()).replaceAll('\n', ' '), location }
}

for (const engine of ENGINES) {
  t.test(`of ${RACERS} at two servers on one database, one wins: ${engine}`, async (t) => {
    const opened = await databaseOf(t, engine)
    if ('skip' in opened) return t.plan(0, opened.skip)
    const two = await startTwoNodes(t, opened.database, { GATEHOUSE_REGISTRATION__MODE: 'initial_access_token' })
    const alice = await two.seeder.account({ username: 'alice' })
    await two.seeder.client({ client_id: 'service', client_secret: SECRET })
    const scene = { ...two, alice, key: await clientKey() }
    for (const { title, prepare, won, lost, afterwards } of singleUses) {
      await t.test(title, async (t) => {
        const attempt = await prepare(scene)
        const racers = Array.from({ length: RACERS }, (_, racer) => show(two.urls[racer % 2 === 0 ? 0 : 1], attempt))
        const seen = await Promise.all(racers)
        const winners = seen.filter(won)
        t.equal(winners.length, 1, 'one wins')
        const others = seen.filter((one) => !won(one)).map(({ status, text }) => `${status} ${text}`)
        t.same(
          others.filter((other) => !lost.test(other)),
          [],
          'everybody else hears that it is used',
        )
        const again = await show(two.urls[1], attempt)
        t.notOk(won(again), 'and so does who comes later')
        if (winners[0] !== undefined) await afterwards?.(t, scene, winners[0])
      })
    }
  })
}
