import t, { type Test } from 'tap'
import { commonPasswords } from '../../server/accounts/common_passwords.ts'
import { createSetupLink } from '../../server/accounts/setup_link.ts'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'

// Reading them takes a moment in which the first server would call itself busy.
await commonPasswords()

/** A server without an administrator, and the token of a set-up link to it. */
async function fresh(t: Test, options?: Parameters<typeof buildTestApp>[1]) {
  const server = await buildTestApp(t, options)
  const newToken = async () => {
    const link = await createSetupLink(server.deps)
    if (link === 'administrator_exists') throw new Error(link)
    return new URL(link.setup_url).searchParams.get('token') ?? ''
  }
  const audited = async (event: string) =>
    (await server.deps.store.listAudit({ event }, { limit: 10, cursor: null })).items
  return { ...server, newToken, audited, token: await newToken() }
}

const FILLED = { username: 'alice', email: 'alice@example.com', password: PASSWORD }

t.test('the link opens a form; the form makes the administrator, who can sign in', async (t) => {
  const { deps, inject, postForm, signIn, audited, token } = await fresh(t)
  const opened = await inject({ url: `/setup?token=${token}` })
  t.equal(opened.statusCode, 200)
  t.match(opened.body, 'method="post" action="/setup"')
  t.match(opened.body, `name="token" value="${token}"`)
  for (const autocomplete of ['username', 'email', 'new-password']) {
    t.match(opened.body, `autocomplete="${autocomplete}"`)
  }

  const made = await postForm('/setup', { token, ...FILLED })
  t.equal(made.statusCode, 303, 'RFC 9110 §15.4.4: so that a reload sends nothing again')
  t.equal(made.headers.location, '/setup/done')
  const account = await deps.store.findAccountByIdentifier('alice')
  t.match(account, { username: 'alice', email: 'alice@example.com', email_verified_at: null, roles: ['admin'] })
  await t.resolves(signIn('alice'))
  const [record, ...more] = await audited('admin.first_administrator_created')
  t.match(record, { account_id: account?.account_id, actor: account?.account_id, address_prefix: '127.0.0.1' })
  t.same(more, [])

  const done = await inject({ url: '/setup/done' })
  t.equal(done.statusCode, 200)
  t.match(done.body, 'Gatehouse is set up')
})

t.test('opening the link changes nothing, however often a scanner does it', async (t) => {
  const { deps, inject, postForm, token } = await fresh(t)
  for (const method of ['GET', 'HEAD', 'GET'] as const) {
    t.equal((await inject({ method, url: `/setup?token=${token}` })).statusCode, 200)
  }
  t.equal(await deps.store.hasAdministrator(), false)
  t.equal((await inject({ url: '/setup/done' })).statusCode, 404, 'nothing is done yet')
  t.equal((await postForm('/setup', { token, ...FILLED })).statusCode, 303)
})

t.test('a link that is unknown, missing, superseded or expired opens nothing, and says what to do', async (t) => {
  const { deps, clock, inject, postForm, newToken, token: superseded } = await fresh(t)
  const token = await newToken()
  const gone = async (token: string | undefined) => {
    const query = token === undefined ? '' : `?token=${encodeURIComponent(token)}`
    for (const response of [
      await inject({ url: `/setup${query}` }),
      await postForm('/setup', { ...(token === undefined ? {} : { token }), ...FILLED }),
    ]) {
      t.equal(response.statusCode, 404)
      t.match(response.body, 'gatehouse setup-link')
      t.notMatch(response.body, '<form')
    }
  }
  await gone(undefined)
  await gone('')
  await gone(superseded)
  await gone(token.slice(0, -1))
  await gone(`${token}x`)
  await gone(deps.vault.digest('setup_link', token))
  await gone('"><script>')
  t.equal((await inject({ url: `/setup?token=${token}` })).statusCode, 200)
  clock.advance(3600)
  await gone(token)
  t.equal(await deps.store.hasAdministrator(), false)
})

t.test('used once: a second submit, a reload and the way back find the link gone', async (t) => {
  const { deps, inject, postForm, token } = await fresh(t)
  await postForm('/setup', { token, ...FILLED })
  const again = await postForm('/setup', { token, ...FILLED, username: 'mallory', email: '' })
  t.equal(again.statusCode, 404)
  t.match(again.body, 'If you have just created the account')
  t.equal((await inject({ url: `/setup?token=${token}` })).statusCode, 404)
  t.equal(await deps.store.findAccountByIdentifier('mallory'), undefined)
})

t.test('used once: of many submits at the same time one makes an account', async (t) => {
  const { deps, postForm, token } = await fresh(t)
  const names = ['ann', 'ben', 'cem', 'dan']
  const replies = await Promise.all(
    names.map((username) => postForm('/setup', { token, username, password: PASSWORD })),
  )
  t.same(
    replies.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b),
    [303, 404, 404, 404],
  )
  const { items } = await deps.store.listAccounts({ limit: 10, cursor: null })
  t.equal(items.length, 1)
})

t.test('as soon as there is an administrator, no link opens anything', async (t) => {
  const { deps, inject, postForm, createAccount, token } = await fresh(t)
  await createAccount({ username: 'root', roles: ['admin'] })
  t.equal((await inject({ url: `/setup?token=${token}` })).statusCode, 404)
  t.equal((await postForm('/setup', { token, ...FILLED })).statusCode, 404)
  t.equal(await deps.store.findAccountByIdentifier('alice'), undefined)
})

t.test('an account without the role does not close the page', async (t) => {
  const { inject, createAccount, token } = await fresh(t)
  await createAccount({ username: 'bob', roles: ['editor'] })
  t.equal((await inject({ url: `/setup?token=${token}` })).statusCode, 200)
})

t.test('WCAG 2.2 §3.3.1: a problem stands beside its field and in the summary; what was entered stays', async (t) => {
  const { deps, postForm, audited, token } = await fresh(t)
  const { statusCode, body } = await postForm('/setup', {
    token,
    username: 'Ali<ce',
    email: 'not "an" address',
    password: 'hunter2-hunter',
  })
  t.equal(statusCode, 422)
  t.match(body, '<title>Error: ')
  t.match(body, 'value="Ali&lt;ce"')
  t.match(body, 'value="not &quot;an&quot; address"')
  t.match(body, 'role="alert" tabindex="-1" autofocus')
  for (const name of ['email', 'password']) {
    t.match(body, `href="#${name}"`)
    t.match(body, new RegExp(`id="${name}"[^>]* aria-describedby="${name}-problem" aria-invalid="true"`))
    t.match(body, new RegExp(`id="${name}-problem">[^<]+<`))
  }
  t.notMatch(body, /id="username"[^>]* aria-invalid/)
  t.notMatch(body, 'hunter2', 'the password is never sent back')
  t.equal(await deps.store.hasAdministrator(), false)
  t.same(await audited('admin.first_administrator_created'), [])
  t.equal((await postForm('/setup', { token, ...FILLED })).statusCode, 303, 'the link was not spent')
})

t.test('every field that is missing is a problem of that field, but for the e-mail address', async (t) => {
  const { postForm, token } = await fresh(t)
  const empty = await postForm('/setup', { token })
  t.equal(empty.statusCode, 422)
  t.match(empty.body, 'href="#username"')
  t.match(empty.body, 'href="#password"')
  t.notMatch(empty.body, 'href="#email"')
  const { username, password } = FILLED
  t.equal((await postForm('/setup', { token, username, password })).statusCode, 303)
})

t.test('a name or address that is taken is a problem of that field, and the link stays', async (t) => {
  const { postForm, createAccount, token } = await fresh(t)
  await createAccount({ username: 'alice' })
  await createAccount({ username: 'bob', email: 'bob@example.com' })
  const name = await postForm('/setup', { token, ...FILLED, username: 'ALICE' })
  t.equal(name.statusCode, 422)
  t.match(name.body, 'href="#username"')
  t.notMatch(name.body, 'href="#email"')
  const address = await postForm('/setup', { token, ...FILLED, username: 'carol', email: 'Bob@Example.com' })
  t.equal(address.statusCode, 422)
  t.match(address.body, 'href="#email"')
  t.equal((await postForm('/setup', { token, ...FILLED, username: 'carol' })).statusCode, 303)
})

t.test('a form that another site sends is refused, even with the token', async (t) => {
  const { deps, issuer, postForm, token } = await fresh(t)
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    t.equal((await postForm('/setup', { token, ...FILLED }, headers)).statusCode, 403)
  }
  t.equal(await deps.store.hasAdministrator(), false)
  const headers = { origin: issuer, 'sec-fetch-site': 'same-origin' }
  t.equal((await postForm('/setup', { token, ...FILLED }, headers)).statusCode, 303)
})

t.test('bad input is a page with a 4xx, and the next honest request works', async (t) => {
  const { inject, postForm, postJson, token } = await fresh(t)
  const refused = async (expected: number, response: ReturnType<typeof postForm>) => {
    const { statusCode, headers } = await response
    t.equal(statusCode, expected)
    t.equal(headers['content-type'], 'text/html; charset=utf-8')
  }
  await refused(400, inject({ url: `/setup?token=${token}&token=${token}` }))
  await refused(400, inject({ url: '/setup?token=%ff' }))
  await refused(400, postForm('/setup', `token=${token}&token=${token}`))
  await refused(400, postForm('/setup', `token=${token}&username=a&username=b&password=${PASSWORD}`))
  await refused(400, postForm('/setup', `token=${token}&username=%ED%A0%80&password=${PASSWORD}`))
  await refused(415, postJson('/setup', { token, ...FILLED }))
  await refused(413, postForm('/setup', `token=${'x'.repeat(1_000_000)}`))
  await refused(400, postForm('/setup', { token, ...FILLED, username: 'a\u0000b' }))
  await refused(422, postForm('/setup', { token, ...FILLED, username: 'a\u0001b' }))
  await refused(422, postForm('/setup', { token, ...FILLED, username: 'x'.repeat(4000) }))
  t.equal((await postForm('/setup', { token, ...FILLED })).statusCode, 303)
})

t.test(
  'while others are hashing: a 503 with Retry-After, and the link stays; a stranger is not even in line',
  async (t) => {
    const passwords = { hash_concurrency: 1, hash_queue: 0, time_cost: 10 }
    const { deps, postForm, token } = await fresh(t, { config: { passwords } })
    const other = deps.passwords.hash(PASSWORD)
    const stranger = await postForm('/setup', { token: 'gth_su_guess', ...FILLED })
    t.equal(stranger.statusCode, 404)
    const busy = await postForm('/setup', { token, ...FILLED })
    t.equal(busy.statusCode, 503)
    t.match(busy.headers, { 'retry-after': /^[1-9]\d*$/, 'content-type': /^text\/html/ })
    await other
    t.equal((await postForm('/setup', { token, ...FILLED })).statusCode, 303)
  },
)

t.test('neither the token nor the password is ever logged', async (t) => {
  const { inject, postForm, logged, token } = await fresh(t)
  await inject({ url: `/setup?token=${token}` })
  await postForm('/setup', { token, ...FILLED, password: 'short but secret' })
  await postForm('/setup', { token, ...FILLED }, { origin: 'https://evil.example' })
  t.ok(logged.length > 0)
  for (const line of logged) {
    t.notMatch(line, token)
    t.notMatch(line, PASSWORD)
    t.notMatch(line, 'short but secret')
  }
})

t.test('RFC 8414 §2: an issuer with a path has the page below it', async (t) => {
  const { inject, postForm, token } = await fresh(t, { config: { issuer: 'http://localhost:3000/id' } })
  const { body } = await inject({ url: `/id/setup?token=${token}` })
  t.match(body, 'action="/id/setup"')
  const made = await postForm('/id/setup', { token, ...FILLED })
  t.equal(made.headers.location, '/id/setup/done')
  t.equal((await inject({ url: '/id/setup/done' })).statusCode, 200)
})
