import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'

t.test('RFC 9728 §3.1: the well-known name goes between host and path', async (t) => {
  for (const path of ['', '/id']) {
    const issuer = `http://localhost:3000${path}`
    const { inject } = await buildTestApp(t, { config: { issuer } })
    for (const resource of ['userinfo', 'admin/api']) {
      const response = await inject({ url: `/.well-known/oauth-protected-resource${path}/${resource}` })
      t.equal(response.statusCode, 200)
      // RFC 9728 §3.3: the value MUST be identical to the resource that the client asked about.
      t.match(response.json(), { resource: `${issuer}/${resource}`, authorization_servers: [issuer] })
    }
  }
})

t.test('RFC 9728 §2: what each of them takes', async (t) => {
  const { inject, issuer } = await buildTestApp(t)
  const about = async (path: string) => (await inject({ url: `/.well-known/oauth-protected-resource${path}` })).json()
  t.match(await about('/userinfo'), { bearer_methods_supported: ['header', 'body'] })
  t.match(await about('/admin/api'), {
    scopes_supported: ['gatehouse:read', 'gatehouse:write'],
    bearer_methods_supported: ['header'],
  })
  t.equal((await inject({ url: '/.well-known/oauth-protected-resource' })).statusCode, 404)
  const discovered = (await inject({ url: '/.well-known/openid-configuration' })).json()
  t.strictSame(discovered.protected_resources, [`${issuer}/userinfo`, `${issuer}/admin/api`], '§4')
})
