/** What `gatehouse snippet` prints for Node, as it is printed. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { apiClient, type Get } from '../helpers/api_client.ts'
import { startProgram } from '../helpers/child_process.ts'
import { freePort } from '../helpers/process.ts'
import { apiAt, judgeBound, judgeOutage, judgeVerifier, serve, writeSnippet } from '../helpers/snippets.ts'
import { type StandInIssuer, startStandInIssuer } from '../helpers/stand_in_issuer.ts'

async function startApi(t: Test, stack: string, issuer: StandInIssuer): Promise<Get> {
  // Within the clone, so that its packages are found.
  const folder = await writeSnippet(stack, t.testdir(), issuer)
  if (stack === 'nextjs') return serveHandler(t, join(folder, 'route.ts'))
  const port = await freePort()
  const api = await startProgram({
    command: process.execPath,
    args: ['--import', `data:text/javascript,process.stdout.write('started')`, 'api.ts'],
    cwd: folder,
    env: { PORT: String(port) },
    ready: /started/,
  })
  t.teardown(() => api.stop())
  return apiAt(port)
}

// A module is loaded once by each address.
let imports = 0

/** Next.js calls a route's GET with a Request. */
async function serveHandler(t: Test, path: string): Promise<Get> {
  const { GET }: { GET: (request: Request) => Promise<Response> } = await import(
    `${pathToFileURL(path).href}?${++imports}`
  )
  const address = await serve(t, async ({ url, headers: { authorization } }) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    const answer = await GET(new Request(new URL(url ?? '/', 'http://localhost'), { headers }))
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
  })
  return apiClient(`http://${address}`)
}

t.setTimeout(60_000)
for (const stack of ['fastify', 'express', 'hono', 'nextjs']) {
  t.test(`RFC 9068 §4, RFC 6750 §3: ${stack}`, async (t) => {
    const issuer = await startStandInIssuer(t)
    const get = await startApi(t, stack, issuer)
    await judgeVerifier(t, issuer, get)
    await judgeBound(t, issuer, get)
    await judgeOutage(t, issuer, get, [401, 503])
    const fresh = await startStandInIssuer(t)
    const another = await startApi(t, stack, fresh)
    await fresh.down()
    const unavailable = await another('/orders', await fresh.token({ scope: 'orders:read' }))
    t.equal(unavailable.status, 503, 'keys that cannot be had are no fault of the token')
  })
}
