/** The pages on the way to a code, and an honest visit to each. */
import { PASSWORD, type TestApp } from '../helpers/app.ts'
import { DEVICE_CLIENT, startDevice } from '../helpers/device.ts'
import { seedSession } from '../helpers/session.ts'
import { authorizationUrl, type Browser, createBrowser, formIn, WEB_CLIENT } from '../helpers/web_client.ts'
import type { Honest, Target } from './targets.ts'

/** Opens a page in a browser that alice may be signed in at. */
async function visit(server: TestApp, url: string, signed_in: boolean) {
  const browser = createBrowser(server)
  if (signed_in) {
    const alice = await server.deps.store.findAccountByIdentifier('alice')
    const { handle } = await seedSession(server.deps, { account_id: alice?.account_id ?? '' })
    browser.cookies.set('gatehouse_session', handle)
  }
  const page = await browser.open(url)
  const { csrf_token = '' } = formIn(page.body).fields
  return { csrf_token, interaction: page.url.searchParams.get('interaction') ?? '', headers: cookieOf(browser) }
}

/** Who is asked whether they go on as alice, and to allow it. */
async function paused(server: TestApp, prompt: string) {
  const client = await server.createClient({ ...WEB_CLIENT, client_id: 'pages', first_party: false })
  return visit(server, authorizationUrl(server, client, { prompt }).url, prompt !== 'login')
}

function cookieOf({ cookies }: Browser): { cookie: string } {
  return { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }
}

/** Where somebody who is signed in lets a device in. @param members what the request says of its code and form */
async function atDevice(
  server: TestApp,
  members: (form: { user_code: string; csrf_token: string }) => Honest['members'],
): Promise<Honest> {
  await server.createClient(DEVICE_CLIENT)
  const { user_code } = await startDevice(server)
  const { csrf_token, headers } = await visit(server, '/device', true)
  return { url: '/device', members: members({ user_code, csrf_token }), headers }
}

/** A step of a paused request. @param answer what its form says; left out: it is only opened */
function step(route: string, prompt: string, answer?: Honest['members']): Target {
  const honest = async (server: TestApp): Promise<Honest> => {
    const { csrf_token, interaction, headers } = await paused(server, prompt)
    if (answer === undefined) return { url: route, members: { interaction }, headers }
    return { url: `${route}?interaction=${interaction}`, members: { csrf_token, ...answer }, headers }
  }
  const method = answer === undefined ? 'GET' : 'POST'
  const body = answer === undefined ? {} : ({ body: 'form', answers: 303 } as const)
  return { method, route, refusal: 'page', ...body, honest }
}

export const pageTargets: readonly Target[] = [
  // A page for who says that they read one; to anybody else, nothing is there.
  { method: 'GET', route: '/', refusal: 'oauth', answers: 404, honest: async () => ({ url: '/', members: {} }) },
  step('/login', 'login'),
  {
    method: 'POST',
    route: '/login',
    refusal: 'page',
    body: 'form',
    answers: 303,
    hashes: true,
    async honest(server) {
      const { csrf_token, headers } = await visit(server, '/login', false)
      return {
        url: '/login',
        members: { csrf_token, username: 'alice', password: PASSWORD, remember: 'true' },
        headers,
      }
    },
  },
  step('/select-account', 'select_account'),
  step('/select-account', 'select_account', { choice: 'continue' }),
  step('/consent', 'consent'),
  step('/consent', 'consent', { decision: 'approve' }),
  {
    method: 'GET',
    route: '/device',
    refusal: 'page',
    honest: (server) => atDevice(server, ({ user_code }) => ({ user_code })),
  },
  {
    method: 'POST',
    route: '/device',
    refusal: 'page',
    body: 'form',
    honest: (server) => atDevice(server, (members) => ({ ...members, decision: 'approve' })),
  },
  // It leads to the next step.
  { ...step('/authorize/resume', 'select_account'), answers: 303 },
]
