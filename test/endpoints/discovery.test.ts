import t from 'tap'
import { buildTestApp } from '../helpers/app.ts'

t.test('RFC 9396 §10: authorization_details_types_supported has what resources register, a minute later', async (t) => {
  const server = await buildTestApp(t)
  const { store } = server.deps
  const read = async (path = '/.well-known/oauth-authorization-server') => (await server.inject({ url: path })).json()
  t.notOk('authorization_details_types_supported' in (await read()), 'none: not there')

  const resource = {
    scopes: null,
    access_token_seconds: null,
    claims: {},
    token_typ: 'at+jwt',
    signing_alg: 'RS256',
    introspection_clients: [],
  } as const
  const instants = { created_at: 0, updated_at: 0 }
  const register = (uri: string, authorization_details_types: string[]) =>
    store.createResource({ ...resource, ...instants, resource: uri, authorization_details_types }, [])
  await register('https://a.example', ['payment', 'account'])
  await register('https://b.example', ['payment', 'archive'])
  await register('https://c.example', [])
  t.notOk('authorization_details_types_supported' in (await read()), 'who asks often costs the database nothing')
  server.clock.advance(60)
  const types = ['account', 'archive', 'payment']
  t.same((await read()).authorization_details_types_supported, types)
  t.same((await read('/.well-known/openid-configuration')).authorization_details_types_supported, types)

  server.clock.advance(60)
  await store.close()
  t.same((await read()).authorization_details_types_supported, types, 'nor does it hang on the database')
})
