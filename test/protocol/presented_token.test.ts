import t from 'tap'
import { presentedToken } from '../../server/protocol/presented_token.ts'

const NONE = new Map<string, string[]>()
const body = (...values: string[]) => new Map([['access_token', values]])

t.test('RFC 6750 §2.1, RFC 9449 §7.1: in the Authorization header, by one of two schemes', async (t) => {
  t.strictSame(presentedToken('Bearer a.b-c_~+/=', NONE), { scheme: 'Bearer', token: 'a.b-c_~+/=' })
  t.strictSame(presentedToken('bearer  abc', NONE), { scheme: 'Bearer', token: 'abc' }, 'RFC 9110 §11.1: in any case')
  t.strictSame(presentedToken('DPoP abc', NONE), { scheme: 'DPoP', token: 'abc' })
})

t.test('RFC 6750 §2.2: in the body of a form', async (t) => {
  t.strictSame(presentedToken(undefined, body('abc')), { scheme: 'Bearer', token: 'abc' })
})

t.test('RFC 6750 §2: never in more than one way', async (t) => {
  t.throws(() => presentedToken('Bearer abc', body('abc')), { code: 'invalid_request', status: 400 })
  t.throws(() => presentedToken(undefined, body('abc', 'def')), { code: 'invalid_request' })
})

t.test('no token is not a wrong token', async (t) => {
  t.equal(presentedToken(undefined, NONE), undefined)
  t.equal(presentedToken('Basic abc', NONE), undefined)
  for (const malformed of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer "a"', 'DPoP ä', `Bearer ${'a'.repeat(8193)}`]) {
    t.throws(() => presentedToken(malformed, NONE), { code: 'invalid_token' }, malformed.slice(0, 20))
  }
})
