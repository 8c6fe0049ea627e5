import fc from 'fast-check'
import t from 'tap'
import { addressPrefix } from '../../server/protocol/address_prefix.ts'

t.test('an IPv4 address counts whole', async (t) => {
  t.equal(addressPrefix('203.0.113.7'), '203.0.113.7')
  t.not(addressPrefix('203.0.113.7'), addressPrefix('203.0.113.8'))
})

t.test('RFC 4291 §2.5.5.2: an IPv4-mapped address is the IPv4 address', async (t) => {
  t.equal(addressPrefix('::ffff:203.0.113.7'), '203.0.113.7')
  t.equal(addressPrefix('::FFFF:cb00:7107'), '203.0.113.7')
  t.equal(addressPrefix('0:0:0:0:0:ffff:127.0.0.1'), '127.0.0.1')
  t.equal(addressPrefix('::203.0.113.7'), '::/64', 'not so an IPv4-compatible one')
  t.equal(addressPrefix('1::ffff:203.0.113.7'), '1::/64')
})

t.test('an IPv6 address counts by its /64, in the text of RFC 5952', async (t) => {
  t.equal(addressPrefix('2001:DB8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  t.equal(addressPrefix('2001:db8:1:2::99'), '2001:db8:1:2::/64')
  t.not(addressPrefix('2001:db8:1:3::99'), '2001:db8:1:2::/64')
  t.equal(addressPrefix('2001:0db8:0000:0000:0001::5'), '2001:db8::/64')
  t.equal(addressPrefix('1:0:0:2:3::'), '1:0:0:2::/64')
  t.equal(addressPrefix('::1'), '::/64')
  t.equal(addressPrefix('fe80::1%eth0'), 'fe80::/64', 'RFC 4007 §11: without its zone')
})

t.test('all spellings of one address have one prefix, and it is one of its own', async () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(groups, (numbers) => {
      const padded = numbers.map((number) => number.toString(16).padStart(4, '0').toUpperCase()).join(':')
      const plain = numbers.map((number) => number.toString(16)).join(':')
      const prefix = addressPrefix(padded)
      return prefix === addressPrefix(plain) && addressPrefix(prefix.replace('/64', '')) === prefix
    }),
  )
})

t.test('anything else is unknown, and nothing throws', async (t) => {
  const garbage = [
    '',
    'unknown',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.4:80',
    '[::1]',
    '::1]/x?',
    '1:2:3:4:5:6:7:8:9',
    '::gg',
    ':',
    '%eth0',
    '/run/socket',
    '1.2.3.4\n',
    `${'1:'.repeat(5000)}1`,
  ]
  for (const ip of garbage) t.equal(addressPrefix(ip), 'unknown', JSON.stringify(ip.slice(0, 20)))
  fc.assert(fc.property(fc.string(), (ip) => /^(unknown|[\d.]+|[\da-f:]+\/64)$/.test(addressPrefix(ip))))
})
