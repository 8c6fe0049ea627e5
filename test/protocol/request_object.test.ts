import t from 'tap'
import { parametersOf } from '../../server/protocol/request_object.ts'

const read = (claims: object) => Object.fromEntries(parametersOf({ client_id: 'c', ...claims }, 'c'))
const REFUSED = { code: 'invalid_request_object' }

t.test('RFC 9101 §4: claims are the parameters that they are named after', async (t) => {
  t.strictSame(
    read({
      iss: 'c',
      aud: 'https://op.example',
      exp: 1,
      nbf: 1,
      iat: 1,
      jti: 'x',
      scope: 'openid',
      max_age: 60,
      claims: { id_token: { email: null } },
      authorization_details: [{ type: 'payment' }],
      resource: ['https://a.example', 'https://b.example'],
      state: '',
    }),
    {
      client_id: ['c'],
      scope: ['openid'],
      max_age: ['60'],
      claims: ['{"id_token":{"email":null}}'],
      authorization_details: ['[{"type":"payment"}]'],
      resource: ['https://a.example', 'https://b.example'],
    },
  )
})

t.test('RFC 9101 §5.2: the client_id is the same', async (t) => {
  t.throws(() => parametersOf({ client_id: 'other' }, 'c'), REFUSED)
  t.throws(() => parametersOf({}, 'c'), REFUSED)
})

t.test('RFC 9101 §4, §10.8: neither request nor request_uri, and no sub, which a client assertion has', async (t) => {
  for (const name of ['request', 'request_uri', 'sub']) t.throws(() => read({ [name]: 'c' }), REFUSED, name)
})

t.test('a value that no parameter can have', async (t) => {
  for (const bad of [null, 1.5, 'a\0b']) t.throws(() => read({ state: bad }), REFUSED, String(bad))
  t.throws(() => read({ resource: ['a\0'] }), REFUSED)
})
