import t from 'tap'
import { readAuthorizationDetails } from '../../server/protocol/authorization_details.ts'

const client = { authorization_details_types: ['payment', 'account'] }
const resources = [{ authorization_details_types: ['payment', 'other'] }]
const read = (details: unknown, asking: { authorization_details_types?: string[] } = client) =>
  readAuthorizationDetails(JSON.stringify(details), asking, resources)
const REFUSED = { code: 'invalid_authorization_details' }

t.test('RFC 9396 §2: objects with a type, and whatever the type defines', async (t) => {
  const details = [{ type: 'payment', actions: ['pay'], identifier: 'x', amount: { currency: 'EUR', value: 5 } }]
  t.strictSame(read(details), details)
  t.strictSame(readAuthorizationDetails(undefined, client, resources), [])
  t.strictSame(read([]), [])
})

t.test('RFC 9396 §5: a type that no resource of the request registers, or that the client may not use', async (t) => {
  t.throws(() => read([{ type: 'account' }]), REFUSED)
  t.throws(() => read([{ type: 'other' }]), REFUSED)
  t.throws(() => read([{ type: 'payment' }, { type: 'unknown' }]), REFUSED)
  t.throws(() => read([{ type: 'payment' }], {}), REFUSED)
})

t.test('details that nest deeper than anything that walks through them can go', async (t) => {
  const nested = (levels: number) => `[{"type":"payment","x":${'['.repeat(levels)}${']'.repeat(levels)}}]`
  t.doesNotThrow(() => readAuthorizationDetails(nested(15), client, resources))
  t.throws(() => readAuthorizationDetails(nested(16), client, resources), REFUSED)
  t.throws(() => readAuthorizationDetails(nested(30_000), client, resources), REFUSED)
})

t.test('RFC 9396 §5: what has another form', async (t) => {
  for (const bad of [
    '',
    'x',
    '{}',
    'null',
    '[null]',
    '["payment"]',
    '[{}]',
    '[{"type":1}]',
    '[[]]',
    '[{"type":"payment"}',
  ]) {
    t.throws(() => readAuthorizationDetails(bad, client, resources), REFUSED, bad)
  }
  for (const name of ['locations', 'actions', 'datatypes', 'privileges']) {
    t.throws(() => read([{ type: 'payment', [name]: 'x' }]), REFUSED, name)
    t.throws(() => read([{ type: 'payment', [name]: [1] }]), REFUSED, name)
  }
  t.throws(() => read([{ type: 'payment', identifier: 1 }]), REFUSED)
  t.throws(() => read(Array.from({ length: 33 }, () => ({ type: 'payment' }))), REFUSED)
})
