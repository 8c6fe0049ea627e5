import t from 'tap'
import { readClaimsRequest, requestedSubject } from '../../server/protocol/claims_request.ts'

const read = (request: unknown) => readClaimsRequest(JSON.stringify(request))

t.test('OpenID Connect Core §5.5: claims asked for one by one', async (t) => {
  t.equal(readClaimsRequest(undefined), null)
  t.strictSame(read({}), {})
  t.strictSame(
    read({
      userinfo: { email: null, given_name: { essential: true } },
      id_token: { auth_time: { essential: true }, acr: { values: ['a', 'b'] }, sub: { value: 'someone' } },
    }),
    {
      userinfo: { email: null, given_name: { essential: true } },
      id_token: { auth_time: { essential: true }, acr: { values: ['a', 'b'] }, sub: { value: 'someone' } },
    },
  )
})

t.test('OpenID Connect Core §5.5: members that are not understood are ignored', async (t) => {
  t.strictSame(read({ somewhere: { email: null }, userinfo: { 'name#de': null, height: 3, __proto__: null } }), {
    userinfo: {},
  })
  t.strictSame(readClaimsRequest('{"id_token":{"__proto__":{"essential":true},"email":{"purpose":"x"}}}'), {
    id_token: { email: {} },
  })
  t.strictSame(read({ userinfo: null }), {})
})

t.test('OpenID Connect Core §5.5.1: what has another form is an invalid_request', async (t) => {
  for (const bad of ['', 'x', '[]', 'null', '"x"', '{"userinfo":[]}', '{"id_token":1}']) {
    t.throws(() => readClaimsRequest(bad), { code: 'invalid_request' }, bad)
  }
  for (const bad of [
    1,
    'x',
    [],
    { essential: 'true' },
    { value: {} },
    { value: null },
    { values: 'x' },
    { values: [{}] },
  ]) {
    t.throws(() => read({ id_token: { acr: bad } }), { code: 'invalid_request' }, JSON.stringify(bad))
  }
})

t.test('OpenID Connect Core §5.5.1: a sub with a value names a person', async (t) => {
  t.equal(requestedSubject(read({ id_token: { sub: { value: 'someone' } } })), 'someone')
  for (const other of [
    { id_token: { sub: null } },
    { id_token: { sub: { value: 5 } } },
    { userinfo: { sub: { value: 'x' } } },
  ]) {
    t.equal(requestedSubject(read(other)), undefined)
  }
  t.equal(requestedSubject(null), undefined)
})
