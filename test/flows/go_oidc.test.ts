/** Go's golang.org/x/oauth2 and go-oidc, unchanged. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { CALLBACK, SECRET, serveClients } from '../helpers/clients.ts'
import { runClient } from '../helpers/other_language.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const FOLDER = new URL('go_oidc/', import.meta.url).pathname
// Where Go's own installer puts it.
const INSTALLED = '/usr/local/go/bin/go'
const DOWNLOAD_SECONDS = 30
// The first time, it compiles Go's own HTTP and TLS.
const BUILD_SECONDS = 240

const run = promisify(execFile)
const go = (args: readonly string[], seconds: number) =>
  run(existsSync(INSTALLED) ? INSTALLED : 'go', args, {
    cwd: FOLDER,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
    timeout: seconds * 1_000,
  })

/** @returns why the modules cannot be had; false: they are there. Failing to compile is no reason to go without. */
async function noModules(): Promise<string | false> {
  try {
    await go(['mod', 'download'], DOWNLOAD_SECONDS)
    return false
  } catch (error) {
    return error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error)
  }
}

t.setTimeout((DOWNLOAD_SECONDS + BUILD_SECONDS + 60) * 1_000)
const skip = await noModules()
if (skip) process.stderr.write(`test/flows/go_oidc.test.ts SKIPPED: no Go modules: ${skip}\n`)

t.test(
  'OpenID Connect Core §3.1: a Go program signs a person in, refreshes, and has its tokens verified',
  { skip },
  async (t) => {
    const client = join(temporaryDirectory(t), 'client')
    await go(['build', '-mod=readonly', '-buildvcs=false', '-o', client, '.'], BUILD_SECONDS)
    const { issuer, alice, webClient, visit } = await serveClients(t)
    const sub = alice.account_id
    const grant_types = ['authorization_code', 'refresh_token', 'client_credentials']
    const scope = 'openid profile email offline_access read'
    const ways = {
      public: {},
      client_secret_basic: { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic', grant_types },
      client_secret_post: { client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post', grant_types },
    } as const
    for (const [name, registration] of Object.entries(ways)) {
      const { client_id } = await webClient({ scope, ...registration })
      const { client_secret } = { client_secret: '', ...registration }
      const settings = { issuer, client_id, client_secret, redirect_uri: CALLBACK }
      const done = await runClient({ command: client, args: [], settings }, async (url) => (await visit(url)).url.href)
      t.match(
        done,
        {
          id_token: { Issuer: issuer, Audience: [client_id], Subject: sub },
          user: { sub, email: 'alice@example.com', email_verified: true },
          access_token: sub,
          refreshed: true,
          replayed: 'invalid_grant',
          ...(client_secret !== '' && { service: 'read' }),
        },
        name,
      )
    }
  },
)
