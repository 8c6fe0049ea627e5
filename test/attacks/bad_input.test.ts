import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { buildTestApp } from '../helpers/app.ts'
import { type Attack, attacksOn } from './attacks.ts'
import { MARK } from './inputs.ts'
import { type ErrorForm, furnish, requestOf, type Target, targets } from './targets.ts'

/** Issue "bad input, on every endpoint": the documented error, never a 5xx, and the next honest request works. */

const routes = new Set<string>()
const collect = (message: unknown) => {
  const { fastify } = message as { fastify: FastifyInstance }
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.add(`${name} ${url}`)
  })
}
subscribe('fastify.initialization', collect)
// Guessing is not what is tried here, and a busy machine is no reason to shed a test's load.
const PLENTY = 100_000
const server = await buildTestApp(t, {
  config: {
    throttle: {
      account_attempts_per_minute: PLENTY,
      address_attempts_per_minute: PLENTY,
      client_failures_per_minute: PLENTY,
      max_consecutive_failures: PLENTY,
    },
    http: { max_event_loop_delay_milliseconds: 0 },
    shared_signals: { enabled: true, max_streams_per_client: 100, poll_wait_seconds: 0 },
    forward_auth: { enabled: true },
    token_api: { drf_jwt: true },
  },
})
unsubscribe('fastify.initialization', collect)
await furnish(server)

t.test('every route is attacked: a new one needs a line in targets.ts', async (t) => {
  // Their siblings answer these: 405, CORS, what GET answers without its body, and files.
  const known = new Set(targets.map(({ method, route }) => `${method} ${route}`))
  const refusedMethods =
    /^(?:GET|PUT|PATCH|DELETE) \/(?:par|device_authorization|token|revoke|introspect|api\/token|api-token)|^(?:PUT|PATCH|DELETE) \/(?:authorize|userinfo|revocations\/stream)$|^(?!GET)\w+ \/forward-auth|^(?:PUT|PATCH|DELETE) \/ssf\/status$|^(?:GET|PUT|PATCH|DELETE) \/ssf\/(?:verify|poll)/
  const others = [...routes].filter(
    (route) => !/^(?:HEAD|OPTIONS) /.test(route) && !route.startsWith('GET /assets/') && !refusedMethods.test(route),
  )
  t.strictSame(others.filter((route) => !known.has(route)).sort(), [], 'not attacked')
  t.strictSame([...known].filter((route) => !others.includes(route)).sort(), [], 'not there')
})

for (const target of targets) {
  t.test(`${target.method} ${target.route}`, async (t) => {
    server.logged.length = 0
    const attacks = target.alias ? [] : attacksOn(target, await target.honest(server))
    for (const attack of attacks) judge(t, target, attack, await server.inject(attack.request))
    for (const line of server.logged) {
      if (line.includes(MARK)) t.fail(`a secret in the log: ${line}`)
      if (line.indexOf('\n') !== line.length - 1) t.fail(`more than one line: ${line}`)
    }
    const { statusCode, body } = await server.inject(requestOf(target, await target.honest(server)))
    const works = target.answers === undefined ? statusCode >= 200 && statusCode < 300 : statusCode === target.answers
    t.ok(works, `the next honest request works: ${statusCode} ${works ? '' : body}`)
  })
}

t.test('methods that are not there', async (t) => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'QUERY'] as const
  const known = new Set([...routes])
  for (const target of targets) {
    const { url, headers = {} } = await target.honest(server)
    for (const method of methods) {
      if (known.has(`${method} ${target.route}`) && !isRefusedMethod(target, method)) continue
      const request = { method: method as 'GET', url, headers }
      const response = await server.inject(request)
      const { statusCode } = response
      if (![400, 404, 405].includes(statusCode)) t.fail(`${method} ${url}: ${statusCode}`)
      // RFC 9110 §15.5.6: a 405 MUST say which methods are allowed.
      if (statusCode === 405 && response.headers.allow === undefined) t.fail(`${method} ${url}: no Allow`)
      const attack = { title: `${method} ${url}`, request, refused: true, elsewhere: true }
      if (method !== 'HEAD') judge(t, target, attack, response)
    }
  }
})

function isRefusedMethod({ refusal, method, route }: Target, asked: string): boolean {
  // OpenID Connect Core §5.3: UserInfo answers both.
  if (route === '/userinfo' && ['GET', 'HEAD'].includes(asked)) return false
  if (route === '/revocations/stream' && asked === 'GET') return false
  // OpenID SSF 1.0 §8: the method says what is to become of a stream.
  if (route === '/ssf/streams' || (route === '/ssf/status' && ['GET', 'HEAD'].includes(asked))) return false
  return method === 'POST' && asked !== 'POST' && (refusal === 'oauth' || refusal === 'token_api')
}

/** Whole: nothing that came in is in it. */
const OUR_COOKIE = /^gatehouse_(?:browser|session)=(?:[\w-]{43})?; Path=\/; HttpOnly; SameSite=Lax(?:; Max-Age=\d+)?$/

function notOurs({ 'set-cookie': cookies = [], ...others }: LightMyRequestResponse['headers']) {
  const foreign = [cookies].flat().filter((cookie) => !OUR_COOKIE.test(String(cookie)))
  return Object.entries({ ...others, ...(foreign.length > 0 && { 'set-cookie': foreign }) })
}

function judge(t: Test, target: Target, attack: Attack, response: LightMyRequestResponse): void {
  const { statusCode, headers, body } = response
  const said = `${attack.title}: ${statusCode} ${body.slice(0, 200)}`
  if (statusCode >= 500) t.fail(said)
  if (attack.refused && statusCode < 400) t.fail(`not refused: ${said}`)
  if (headers['x-content-type-options'] !== 'nosniff') t.fail(`may be sniffed: ${said}`)
  // An answer may carry what came in back to where it belongs, encoded.
  const made = notOurs(headers).some(
    ([name, value]) => name === 'set-cookie' || /[\r\n]/.test(`${name}${String(value)}`),
  )
  if (made) t.fail(`a header was made: ${said}`)
  if (String(headers['content-type']).startsWith('text/html') && body.includes('<script>')) t.fail(`echoed: ${said}`)
  if (statusCode < 400) return
  const form = refusalForm(response)
  const right = form === target.refusal || (attack.elsewhere === true && form === 'oauth')
  if (!right) t.fail(`refused in the form of ${form}: ${said}`)
}

/** In which of the documented forms a refusal comes. */
function refusalForm({ statusCode, headers, body }: LightMyRequestResponse): ErrorForm | 'no form' {
  const type = String(headers['content-type'])
  if (type.startsWith('text/html')) return /<h1>/.test(body) ? 'page' : 'no form'
  if (!/^application\/(?:problem\+)?json/.test(type)) return 'no form'
  const json: Record<string, unknown> = JSON.parse(body)
  const names = Object.keys(json)
  if (type.startsWith('application/problem+json')) {
    const { title, status, detail } = json
    const whole = typeof title === 'string' && typeof detail === 'string' && status === statusCode
    return whole ? 'problem' : 'no form'
  }
  if (names.join() === 'error,error_description' && isText(json.error) && isText(json.error_description)) return 'oauth'
  const fields = Object.values(json).every((value) => Array.isArray(value) && value.every((line) => isText(line)))
  return isText(json.detail) || fields ? 'token_api' : 'no form'
}

/** RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, and what simplejwt says. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[\r\n\0]/.test(value)
}
