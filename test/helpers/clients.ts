/** A server process for clients that no one here wrote, with what they are registered as, and the person who uses them. */
import type { Account } from '../../server/protocol/account.ts'
import type { Client } from '../../server/protocol/client.ts'
import { PASSWORD } from './app.ts'
import type { ClientKey } from './client_keys.ts'
import { type ServerProcess, startServer } from './process.ts'
import { openSeeder, type Seeder } from './seed.ts'
import {
  type Browser,
  createBrowser,
  formIn,
  type Landing,
  type Person,
  type Site,
  signInThroughPages,
  WEB_CLIENT,
} from './web_client.ts'

export const CALLBACK: string = WEB_CLIENT.redirect_uris[0]
export const SECRET = 'a client secret of some length'

/** What a client is registered with; one with a secret is confidential. */
export type Registration = Partial<Client> & { client_secret?: string }

export interface ServedClients extends Seeder {
  readonly server: ServerProcess
  readonly issuer: string
  readonly site: Site
  readonly alice: Account
  /** A client for the code flow, of the operator's own. @param changes to that */
  readonly webClient: (changes?: Registration) => Promise<Client>
  /** @param introspection_clients what else may ask about its tokens */
  readonly resource: (resource: string, introspection_clients?: readonly string[]) => Promise<void>
  /** Alice opens the address that a device shows, and decides. */
  readonly decideAboutDevice: (verification_uri_complete: string, decision: 'approve' | 'deny') => Promise<void>
  /** Does in a browser what an authorization request asks of a person. @param person alice, who approves; @param browser one without cookies */
  readonly visit: (url: URL | string, person?: Person, browser?: Browser) => Promise<Landing>
}

type Test = { teardown(handler: () => Promise<void>): void }

const ALICE = {
  username: 'alice',
  password: PASSWORD,
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice Adams',
  profile: { given_name: 'Alice', zoneinfo: 'Europe/Berlin' },
}

/**
 * Starts a server in which alice has an account.
 *
 * @param env settings of the server
 * @param send how its requests go out; another one for TLS
 */
export async function serveClients(
  t: Test,
  env: Readonly<Record<string, string>> = {},
  send: typeof fetch = fetch,
): Promise<ServedClients> {
  const server = await startServer(t, { GATEHOUSE_HTTP__MAX_EVENT_LOOP_DELAY_MILLISECONDS: '0', ...env })
  const seeder = await openSeeder(t, server.env)
  const alice = await seeder.account(ALICE)
  const site = siteAt(server.issuer, send)
  let clients = 0
  const visit: ServedClients['visit'] = (url, person, browser = createBrowser(site)) =>
    signInThroughPages(browser, String(url), person)
  return {
    ...seeder,
    server,
    issuer: server.issuer,
    site,
    alice,
    webClient: (changes = {}) =>
      seeder.client({ ...WEB_CLIENT, client_id: `client-${++clients}`, client_name: 'An application', ...changes }),
    async resource(resource, introspection_clients = []) {
      const described = { scopes: ['read', 'write'], signing_alg: 'RS256', authorization_details_types: [] } as const
      const rest = {
        introspection_clients,
        access_token_seconds: null,
        claims: {},
        token_typ: 'at+jwt' as const,
        created_at: 0,
        updated_at: 0,
      }
      await seeder.deps.store.createResource({ resource, ...described, ...rest }, [])
    },
    async decideAboutDevice(verification_uri_complete, decision) {
      const browser = createBrowser(site)
      const page = await visit(verification_uri_complete, {}, browser)
      const confirm = page.body.includes('name="decision"') ? page : await browser.submit(page, {})
      await browser.submit(confirm, { decision })
    },
    visit,
  }
}

/** A server on a socket, as `createBrowser` knows one. */
export function siteAt(issuer: string, send: typeof fetch = fetch): Site {
  return {
    issuer,
    async inject({ method, url, headers, payload }) {
      const response = await send(new URL(url, issuer), {
        method,
        headers,
        redirect: 'manual',
        ...(payload === undefined ? {} : { body: payload }),
      })
      const set_cookie = { 'set-cookie': response.headers.getSetCookie() }
      const received = { ...Object.fromEntries(response.headers), ...set_cookie }
      return { statusCode: response.status, headers: received, body: await response.text() }
    },
  }
}

/** A client that signs with a key, by which it is known or which it only signs its requests with. */
export function signedBy(
  { public_jwk }: ClientKey,
  method: Client['token_endpoint_auth_method'] = 'private_key_jwt',
): Registration {
  return { token_endpoint_auth_method: method, jwks: { keys: [public_jwk] } }
}

export const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** What the page of `response_mode=form_post` sends to the client. */
export function postedToClient({ body }: Landing): Request {
  const { action, fields } = formIn(body)
  return new Request(action, { method: 'POST', body: new URLSearchParams(fields) })
}
