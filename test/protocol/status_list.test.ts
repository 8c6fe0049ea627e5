import t from 'tap'
import {
  emptyList,
  LIST_LENGTH,
  listOf,
  listsOf,
  parseListNumber,
  setRevoked,
  statusClaim,
  statusListClaims,
} from '../../server/protocol/status_list.ts'

const ISSUER = 'https://login.example.com/tenant'

t.test('Token Status List §6.1: a token says which bit of which list is its own', async (t) => {
  t.strictSame(statusClaim(ISSUER, 0), { status_list: { idx: 0, uri: `${ISSUER}/status-lists/0` } })
  t.strictSame(statusClaim(ISSUER, LIST_LENGTH - 1).status_list.idx, LIST_LENGTH - 1)
  t.strictSame(statusClaim(ISSUER, LIST_LENGTH), { status_list: { idx: 0, uri: `${ISSUER}/status-lists/1` } })
  // Beyond 32 bits, where bitwise arithmetic would be wrong.
  const far = 2 ** 40 + 5
  t.strictSame(statusClaim(ISSUER, far), { status_list: { idx: 5, uri: `${ISSUER}/status-lists/${2 ** 23}` } })
  t.equal(listOf(far), 2 ** 23)
})

t.test('Token Status List §4.1: the bits of a byte are counted from the least significant one', async (t) => {
  // The example of the specification: indices 0, 3, 4, 5, 7, 8, 9, 13, 15 make the bytes b9 a3.
  const list = emptyList()
  for (const index of [0, 3, 4, 5, 7, 8, 9, 13, 15]) t.equal(setRevoked(list, index), true)
  t.strictSame([...list.subarray(0, 3)], [0xb9, 0xa3, 0])
  t.equal(setRevoked(list, 3), false, 'set already')
  setRevoked(list, 7 * LIST_LENGTH + LIST_LENGTH - 1)
  t.equal(list.at(-1), 0x80, 'the last bit of any list')
})

t.test('there are lists for the indices that grants have, and for no others', async (t) => {
  t.strictSame(listsOf({ first_index: 0, next_index: 0 }), { first: 0, last: -1 })
  t.strictSame(listsOf({ first_index: 0, next_index: 1 }), { first: 0, last: 0 })
  t.strictSame(listsOf({ first_index: LIST_LENGTH + 1, next_index: 3 * LIST_LENGTH }), { first: 1, last: 2 })
  t.strictSame(listsOf({ first_index: LIST_LENGTH + 1, next_index: 3 * LIST_LENGTH + 1 }), { first: 1, last: 3 })
})

t.test('the number of a list is written in one way only', async (t) => {
  t.equal(parseListNumber('0'), 0)
  t.equal(parseListNumber('8388608'), 8_388_608)
  for (const text of ['', '00', '01', '-1', '+1', '1.0', '1e3', ' 1', '0x1', '99999999999', '__proto__']) {
    t.equal(parseListNumber(text), undefined, text)
  }
})

t.test(
  'Token Status List §5.1: sub, iat and status_list are required; exp and ttl limit what may be kept',
  async (t) => {
    t.strictSame(statusListClaims(ISSUER, 3, 'eNo', 1_800_000_000, 60), {
      sub: `${ISSUER}/status-lists/3`,
      iss: ISSUER,
      iat: 1_800_000_000,
      exp: 1_800_000_600,
      ttl: 60,
      status_list: { bits: 1, lst: 'eNo' },
    })
  },
)
