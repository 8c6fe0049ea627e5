import fastify, { type FastifyPluginAsync } from 'fastify'
import t, { type Test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { HasherBusy } from '../../server/accounts/password.ts'
import { browserScope, inLocales, type PageOptions, queryOf } from '../../server/http/browser_scope.ts'
import { formOf } from '../../server/http/machine_scope.ts'
import { OAuthError } from '../../server/protocol/errors.ts'
import { single } from '../../server/protocol/parameters.ts'
import { html } from '../../web/html.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** A scope with one page that says what it was sent, and one that throws what the test gives. */
async function scope(
  t: Test,
  { issuer = 'https://id.example.com', thrown = new Error('no secret') as unknown, default_locale = 'en' } = {},
) {
  const env = { GATEHOUSE_PAGES__DEFAULT_LOCALE: default_locale }
  const { config } = loadConfig({ flags: { issuer }, env, cwd: t.testdir() })
  const app = fastify({ genReqId: () => 'the-reference' })
  t.teardown(() => app.close())
  const echo: FastifyPluginAsync<PageOptions> = async (app, { sendPage }) => {
    app.get('/echo', (request, reply) =>
      sendPage(reply, () => ({
        title: 'Echo',
        content: html`${single(queryOf(request), 'said')}`,
        scripts: ['show_password'],
      })),
    )
    app.post('/echo', (request, reply) =>
      sendPage(reply, () => ({ title: 'Echo', content: html`${single(formOf(request), 'said')}` })),
    )
    app.get('/popup', { config: { popup: true } }, (_request, reply) => reply.redirect('/echo', 303))
    app.get('/in-spanish', (_request, reply) =>
      inLocales(sendPage, ['es'])(reply, () => ({ title: '', content: html`` })),
    )
    app.get('/throw', () => {
      throw thrown
    })
  }
  await app.register(browserScope({ config }, [echo]))
  const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/echo', payload, headers: { ...FORM, ...headers } })
  return { app, post }
}

t.test('every page has the policy of pages: CSP, COOP, no referrer to others, not stored', async (t) => {
  const { app, post } = await scope(t)
  for (const response of [await app.inject('/echo'), await app.inject('/throw'), await post('said=%')]) {
    t.match(response.headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'same-origin',
    })
    t.same(String(response.headers['content-security-policy']).split('; ').toSorted(), [
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "script-src 'self'",
      "style-src 'self'",
    ])
  }
})

t.test('HTML §7.1.3: a window keeps hold of one that it opened only where a route says so', async (t) => {
  const { app } = await scope(t)
  const openerPolicy = async (url: string) => (await app.inject(url)).headers['cross-origin-opener-policy']
  t.equal(await openerPolicy('/popup'), undefined)
  t.equal(await openerPolicy('/echo'), 'same-origin')
})

t.test('a page has no script, style or event handler of its own', async (t) => {
  const { app } = await scope(t)
  const { body } = await app.inject('/echo')
  t.match(body, /^<!doctype html>\n<html lang="en" dir="ltr">/)
  t.notMatch(body, /<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=/i)
})

t.test('CSRF: what another site sends is a 403, by Sec-Fetch-Site or by Origin', async (t) => {
  const { app, post } = await scope(t)
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'https://id.example.com' },
    { origin: 'https://evil.example' },
    { origin: 'https://id.example.com.evil.example' },
    { origin: 'http://id.example.com' },
    { origin: 'https://id.example.com:8443' },
    { origin: 'null' },
    { origin: '' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' },
  ]) {
    const { statusCode, body } = await post('said=yes', headers)
    t.equal(statusCode, 403, JSON.stringify(headers))
    t.match(body, 'this form was not sent from https://id.example.com')
  }
  t.equal((await app.inject({ url: '/echo', headers: { 'sec-fetch-site': 'cross-site' } })).statusCode, 200, 'a link')
})

t.test('CSRF: what our own page sends, and what old browsers send, is let through', async (t) => {
  const { post } = await scope(t)
  for (const headers of [
    {},
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://id.example.com' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://id.example.com' },
  ]) {
    t.equal((await post('said=yes', headers)).statusCode, 200, JSON.stringify(headers))
  }
})

t.test('forms only, small and unambiguous: anything else is a page with a 4xx', async (t) => {
  const { app, post } = await scope(t)
  t.match((await post('said=hello+%E2%9C%93')).body, 'hello ✓')
  const refused = async (expected: number, response: ReturnType<typeof post>) => {
    const { statusCode, headers, body } = await response
    t.equal(statusCode, expected)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
    t.match(body, '<code>the-reference</code>')
  }
  await refused(415, post('{"said":"x"}', { 'content-type': 'application/json' }))
  await refused(415, post('said=x', { 'content-type': 'text/plain' }))
  await refused(413, post(`said=${'x'.repeat(9000)}`))
  await refused(400, post('said=a&said=b'))
  await refused(400, post('said=%E0%A4'))
  await refused(400, post(Buffer.from([0x73, 0x3d, 0xff, 0xfe])))
  await refused(400, app.inject('/echo?said=a&said=b'))
  await refused(400, app.inject('/echo?said=%FF'))
})

t.test('what was sent is shown as text, never as markup', async (t) => {
  const { app, post } = await scope(t)
  const said = '"><script>alert(1)</script>'
  for (const { body } of [
    await post(`said=${encodeURIComponent(said)}`),
    await app.inject(`/echo?said=${encodeURIComponent(said)}`),
  ]) {
    t.notMatch(body, '<script>alert')
    t.match(body, '&lt;script&gt;')
  }
})

t.test('an error of ours is a page with a reference, and with nothing else of it', async (t) => {
  const { app } = await scope(t)
  const { statusCode, body } = await app.inject('/throw')
  t.equal(statusCode, 500)
  t.match(body, '<code>the-reference</code>')
  t.notMatch(body, /no secret|\.ts|at .*\(/)
})

t.test('a refusal is a page with its reason, its status and when to try again', async (t) => {
  const refusal = new OAuthError('invalid_request', 'redirect_uri is not registered', { detail: 'for the log' })
  const { app } = await scope(t, { thrown: refusal })
  const { statusCode, body } = await app.inject('/throw')
  t.equal(statusCode, 400)
  t.match(body, 'redirect_uri is not registered')
  t.notMatch(body, 'for the log')

  const busy = await scope(t, { thrown: new HasherBusy(2) })
  const response = await busy.app.inject('/throw')
  t.equal(response.statusCode, 503)
  t.match(response.headers['retry-after'], /^[1-9]\d*$/)
})

t.test('RFC 9110 §8.5, §12.5.5: a page says its language, and that it could have been another', async (t) => {
  const { app } = await scope(t, { thrown: new OAuthError('invalid_request', 'nothing is right') })
  const visit = async (url: string, accept_language?: string) => {
    const headers = accept_language === undefined ? {} : { 'accept-language': accept_language }
    const { headers: received, body } = await app.inject({ url, headers })
    return { ...received, said: body }
  }
  t.match(await visit('/echo'), { 'content-language': 'en', vary: 'Accept-Language', said: '<html lang="en"' })
  t.match(await visit('/echo', 'de-AT,de;q=0.9'), { 'content-language': 'de', said: '<html lang="de" dir="ltr">' })
  t.match(await visit('/throw', 'fr'), { 'content-language': 'fr', said: 'Motif</dt><dd lang="en">nothing is right' })
  t.match(await visit('/in-spanish', 'fr'), { 'content-language': 'es' }, 'ui_locales count for more')
})

t.test('pages.default_locale: for who asks for no language that is here', async (t) => {
  const { app } = await scope(t, { default_locale: 'de' })
  t.match((await app.inject('/echo')).headers, { 'content-language': 'de' })
  t.match((await app.inject({ url: '/echo', headers: { 'accept-language': 'ja' } })).headers, {
    'content-language': 'de',
  })
  t.match((await app.inject({ url: '/echo', headers: { 'accept-language': 'en' } })).headers, {
    'content-language': 'en',
  })
})

t.test('RFC 8246: static files may be kept for ever, at an address that tells their content', async (t) => {
  const { app } = await scope(t)
  const { body } = await app.inject('/echo')
  const paths = new Set([...body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path))
  t.equal(paths.size, 3)
  let bytes = Buffer.byteLength(body)
  for (const path of paths) {
    t.match(path, /^\/assets\/[a-z_]+\.[\w-]{16}\.(css|js|svg)$/)
    const { statusCode, headers, rawPayload } = await app.inject(path)
    t.equal(statusCode, 200)
    t.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
    t.notOk(headers.pragma)
    bytes += rawPayload.length
    t.equal((await app.inject(path.replace(/\.[\w-]{16}\./, '.AAAAAAAAAAAAAAAA.'))).statusCode, 404)
  }
  t.ok(bytes < 15_000, `the shell of a page weighs ${bytes} bytes`)
})

t.test('RFC 8414 §2: an issuer with a path has its static files below it', async (t) => {
  const { config } = loadConfig({ flags: { issuer: 'https://example.com/id' }, env: {}, cwd: t.testdir() })
  const app = fastify()
  t.teardown(() => app.close())
  const page = () => ({ title: 'A page', content: html`` })
  const route: FastifyPluginAsync<PageOptions> = async (app, { sendPage }) => {
    app.get('/page', (_request, reply) => sendPage(reply, page))
  }
  await app.register(browserScope({ config }, [route]), { prefix: '/id' })
  const { body } = await app.inject('/id/page')
  const [, stylesheet = ''] = /rel="stylesheet" href="([^"]+)"/.exec(body) ?? []
  t.match(stylesheet, /^\/id\/assets\//)
  t.equal((await app.inject(stylesheet)).statusCode, 200)
})
