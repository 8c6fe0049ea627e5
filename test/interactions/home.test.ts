import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

t.test(
  'RFC 9110 §12.5.1: who opens the issuer’s address with a browser sees a page; a program is told nothing',
  async (t) => {
    const server = await buildTestApp(t)
    const page = await server.inject({ url: '/', headers: BROWSER })
    t.equal(page.statusCode, 200)
    t.match(page.body, 'href="/login"')
    t.match(page.body, 'href="/demo"')
    t.match(page.headers, { 'cache-control': 'no-store', 'content-language': 'en' })
    t.match(
      (await server.inject({ url: '/', headers: { ...BROWSER, 'accept-language': 'de' } })).body,
      'Hier melden Sie sich an',
    )
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }, { accept: 'xtext/htmlx' }]) {
      const nothing = await server.inject({ url: '/', headers })
      t.equal(nothing.statusCode, 404)
      t.same(nothing.json(), { error: 'invalid_request', error_description: 'there is nothing here' })
    }
  },
)

t.test('below an issuer with a path, and without a demo in production', async (t) => {
  const server = await buildTestApp(t, { config: { issuer: 'https://example.com/id' } })
  const page = await server.inject({ url: '/id', headers: BROWSER })
  t.equal(page.statusCode, 200)
  t.match(page.body, 'href="/id/login"')
  t.notMatch(page.body, '/demo')
  t.equal((await server.inject({ url: '/', headers: BROWSER })).statusCode, 404)
})
