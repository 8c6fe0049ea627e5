import t from 'tap'
import { DEMO_CLIENT_ID, ensureDemoClient, isDemoOn } from '../../server/demo/client.ts'
import { curlLine } from '../../server/demo/exchange.ts'
import { buildTestApp } from '../helpers/app.ts'
import { createBrowser, formIn, signInThroughPages } from '../helpers/web_client.ts'

t.test('it is there on loopback, and elsewhere only when asked for', async (t) => {
  const loopback = { issuer: 'http://localhost:3000', profile: 'oauth21' } as const
  const live = { issuer: 'https://id.example', profile: 'oauth21' } as const
  t.ok(isDemoOn({ ...loopback, demo: 'auto' }))
  t.ok(isDemoOn({ ...live, demo: 'on' }))
  t.notOk(isDemoOn({ ...live, demo: 'auto' }))
  t.notOk(isDemoOn({ ...loopback, demo: 'off' }))
  t.notOk(isDemoOn({ ...loopback, demo: 'on', profile: 'fapi2' }), 'it is a public client')
})

t.test('where it is off there is no page, and its client goes', async (t) => {
  const off = await buildTestApp(t, { config: { demo: 'off' } })
  await ensureDemoClient({ ...off.deps, config: { ...off.deps.config, demo: 'on' } })
  t.ok(await off.deps.store.findClient(DEMO_CLIENT_ID))
  await ensureDemoClient(off.deps)
  t.equal(await off.deps.store.findClient(DEMO_CLIENT_ID), undefined)
  for (const url of ['/demo', '/demo/callback']) t.equal((await off.inject({ url })).statusCode, 404)
})

t.test('OAuth 2.1 §7.12: an answer to another browser, or to no request, is refused', async (t) => {
  const test = await buildTestApp(t)
  await ensureDemoClient(test.deps)
  await test.createAccount({ username: 'alice' })
  const [victim, attacker] = [createBrowser(test), createBrowser(test)]
  for (const browser of [victim, attacker]) await browser.submit(await browser.open('/demo'), { choice: 'sign_in' })
  t.equal((await victim.open(`/demo/callback?code=x&state=x&iss=${test.issuer}`)).statusCode, 400)
  t.equal((await createBrowser(test).open('/demo/callback')).statusCode, 400)
  const { fields } = formIn((await attacker.open('/demo')).body)
  t.equal((await victim.post('/demo', { ...fields, choice: 'sign_in' })).statusCode, 403, "another browser's form")
})

t.test('denied consent comes back as an error, and no code is exchanged', async (t) => {
  const test = await buildTestApp(t)
  await ensureDemoClient(test.deps)
  await test.createAccount({ username: 'alice' })
  const browser = createBrowser(test)
  const login = await browser.submit(await browser.open('/demo'), { choice: 'sign_in' })
  const landing = await signInThroughPages(browser, login.url.href, { decision: 'deny' })
  t.match(landing.body, 'error=access_denied')
  t.notMatch(landing.body, 'Token request')
})

t.test('POSIX Shell §2.2.2: what stands in a curl line means nothing to the shell', async (t) => {
  const line = curlLine({ method: 'POST', url: 'https://id.example/token', form: { code: "a'; rm -rf $HOME #" } })
  t.equal(line, `curl -sS 'https://id.example/token' --data-urlencode 'code=a'\\''; rm -rf $HOME #'`)
})
