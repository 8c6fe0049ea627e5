import t from 'tap'
import { formatUserCode, newUserCode, readUserCode } from '../../server/protocol/device_code.ts'
import { basic, buildTestApp } from '../helpers/app.ts'
import { DEVICE_CLIENT, startDevice } from '../helpers/device.ts'

const SECRET = 'a client secret of some length'

t.test('RFC 8628 §3.2: a device gets its codes, and where its person goes', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient({ ...DEVICE_CLIENT, client_secret: SECRET })
  const response = await server.postForm('/device_authorization', {}, basic('tv', SECRET))
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'cache-control': 'no-store' })
  const body = response.json()
  const verification_uri = `${server.issuer}/device`
  t.match(body, {
    device_code: /^gth_dc_[\w-]{43}$/,
    user_code: /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/,
    verification_uri,
    verification_uri_complete: `${verification_uri}?user_code=${body.user_code}`,
    expires_in: 600,
    interval: 5,
  })
  const another = (await server.postForm('/device_authorization', {}, basic('tv', SECRET))).json()
  t.not(another.user_code, body.user_code)
})

t.test('§3.1: the client authenticates as at the token endpoint, and is registered for the grant type', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient({ ...DEVICE_CLIENT, client_secret: SECRET })
  await server.createClient({ client_id: 'web', grant_types: ['refresh_token'] })
  for (const [form, headers, status, error] of [
    [{}, {}, 401, 'invalid_client'],
    [{ client_id: 'tv' }, {}, 401, 'invalid_client'],
    [{}, basic('tv', 'wrong'), 401, 'invalid_client'],
    [{ client_id: 'web' }, {}, 400, 'unauthorized_client'],
  ] as const) {
    const response = await server.postForm('/device_authorization', form, headers)
    t.match({ status: response.statusCode, body: response.json() }, { status, body: { error } })
  }
})

t.test('scope, resource and authorization_details are judged as in every request', async (t) => {
  const server = await buildTestApp(t)
  await server.createClient(DEVICE_CLIENT)
  for (const [form, error] of [
    [{ scope: 'admin' }, 'invalid_scope'],
    [{ scope: 'a"b' }, 'invalid_scope'],
    [{ resource: 'https://unknown.example' }, 'invalid_target'],
    [{ resource: 'not a uri' }, 'invalid_target'],
    [{ authorization_details: '[{"type":"payment"}]' }, 'invalid_authorization_details'],
    [{ authorization_details: '{' }, 'invalid_authorization_details'],
  ] as const) {
    const response = await server.postForm('/device_authorization', { client_id: 'tv', ...form })
    t.match({ status: response.statusCode, body: response.json() }, { status: 400, body: { error } })
  }
  t.ok(await startDevice(server, { scope: 'openid', resource: server.issuer }))
})

t.test('§6.1: codes are read whatever their case and what stands between the letters', async (t) => {
  for (const typed of ['WDJB-MJHT', 'wdjbmjht', ' wdjb mjht ', 'W-D-J-B-M-J-H-T', 'WDJB—MJHT', 'aWDJBeMJHT0']) {
    t.equal(readUserCode(typed), 'WDJBMJHT', typed)
  }
  for (const typed of [undefined, '', 'WDJB-MJH', 'WDJB-MJHTX', 'AEIOUAEI', 'W'.repeat(10_000), 'ſſſſſſſſ']) {
    t.equal(readUserCode(typed), undefined)
  }
  t.equal(formatUserCode('WDJBMJHT'), 'WDJB-MJHT')
})

t.test('§6.1: each letter is as likely as the others', async (t) => {
  let next = 0
  // Every byte, again and again.
  const counting = { bytes: (length: number) => Uint8Array.from({ length }, () => next++ % 256) }
  const counts = new Map<string, number>()
  for (let codes = 0; codes < 3 * 256; codes += 1) {
    for (const letter of newUserCode(counting)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  }
  t.equal(counts.size, 20)
  const all = [...counts.values()]
  t.ok(Math.max(...all) - Math.min(...all) < 30, `${Math.min(...all)} to ${Math.max(...all)}`)
})
