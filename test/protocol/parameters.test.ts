import fc from 'fast-check'
import t from 'tap'
import { Type } from 'typebox'
import { OAuthError } from '../../server/protocol/errors.ts'
import { parseForm, readParameters, single } from '../../server/protocol/parameters.ts'

const form = (text: string) => parseForm(Buffer.from(text))
const refused = { name: 'OAuthError', code: 'invalid_request' }

t.test('RFC 6749 Appendix B: a form is decoded as form-urlencoded UTF-8', async (t) => {
  t.equal(single(form('a=%C3%A9+%2B&b=1'), 'a'), 'é +')
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), (values) => {
      const wanted = Object.entries(values).filter(([name, value]) => !`${name}${value}`.includes('\0'))
      const parsed = form(new URLSearchParams(wanted).toString())
      return wanted.every(([name, value]) => single(parsed, name) === value)
    }),
  )
})

t.test('broken encodings are refused, not repaired', async (t) => {
  for (const text of ['a=%', 'a=%zz', 'a=%ff', '%c3=1', 'a=%ed%a0%80', 'a=%00'])
    t.throws(() => form(text), refused, text)
  t.throws(() => parseForm(Buffer.from([0x61, 0x3d, 0xff])), refused)
})

t.test('RFC 6749 §3.2: parameters sent without a value are treated as omitted', async (t) => {
  t.strictSame([...form('a=&b&c=1&&')], [['c', ['1']]])
})

t.test('RFC 6749 §3.2: a parameter included more than once is refused, where it may not recur', async (t) => {
  t.throws(() => single(form('a=1&a=1'), 'a'), refused)
  const schema = Type.Object({ resource: Type.Array(Type.String()) })
  t.strictSame(readParameters(schema, form('resource=a&resource=b')), { resource: ['a', 'b'] })
})

t.test('what a grant type requires must be there; what nobody reads is ignored', async (t) => {
  const schema = Type.Object({ token: Type.String(), scope: Type.Optional(Type.String()) })
  t.strictSame(readParameters(schema, form('token=x&other=1&other=2')), { token: 'x' })
  t.throws(() => readParameters(schema, form('scope=x')), { ...refused, description: 'token is missing' })
})

t.test('a form has at most a hundred parameters', async (t) => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `p${i}=1`).join('&')
  t.equal(form(many(100)).size, 100)
  t.throws(() => form(many(101)), refused)
  t.ok(new OAuthError('invalid_request', 'x').status === 400)
})

t.test('names that mean something to JavaScript are names like any other', async (t) => {
  t.equal(single(form('__proto__=1&constructor=2'), '__proto__'), '1')
  t.equal(single(form(''), 'constructor'), undefined)
})
