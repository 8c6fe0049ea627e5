import t from 'tap'
import { isPublicAddress, literalAddress } from '../../server/protocol/public_address.ts'

const NOT_PUBLIC = [
  // this network, private, shared, loopback
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '127.0.0.1', '127.255.0.1'],
  // link-local and the metadata of clouds
  ...['169.254.0.1', '169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
  // private, protocol assignments, documentation, relays, benchmarking
  ...['172.16.0.1', '172.31.255.255', '192.168.0.1', '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1'],
  ...['198.19.255.255', '198.51.100.1', '203.0.113.1'],
  // multicast, reserved, broadcast
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  // unspecified, loopback, compatible, mapped
  ...['::', '::1', '::127.0.0.1', '::8.8.8.8', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a00:1'],
  // NAT64 of what is not public, in its network-specific form of any
  ...['64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::8.8.8.8', '64:ff9b:0:0:0:1:808:808'],
  // discard, Teredo, ORCHID, documentation, 6to4
  ...['100::1', '2001::1', '2001:10::1', '2001:2::1', '2001:db8::1', '2002:7f00:1::', '2002:808:808::1', '3fff::1'],
  // segment routing, unique-local, link-local, site-local, multicast, metadata
  ...['5f00::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
  // no addresses
  ...['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '0x7f.1', ':::', 'g::1', '8.8.8.8 ', '2600::1 '],
]

const PUBLIC = [
  ...[
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
  ],
  ...['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '192.0.1.0', '192.167.255.255', '192.169.0.0'],
  ...['198.17.255.255', '198.20.0.0', '223.255.255.255', '168.63.129.15', '168.63.129.17'],
  ...['2600::1', '2001:200::1', '2001:4860:4860::8888', '2a00:1450:4001:81b::200e', '3ffe::1', '64:ff9b::8.8.8.8'],
]

t.test('RFC 6890: what is not of the public internet is known as such', async (t) => {
  for (const address of NOT_PUBLIC) t.equal(isPublicAddress(address), false, address)
})

t.test('RFC 6890: what is, up to the edges of the blocks, is let through', async (t) => {
  for (const address of PUBLIC) t.equal(isPublicAddress(address), true, address)
})

t.test('every spelling of an address in a URL is known as that address', async (t) => {
  const spellings: [string, string][] = [
    ...['127.0.0.1', '2130706433', '017700000001', '0x7f000001', '0x7f.1', '127.1', '0177.0.0.1', '127.0.0.1.'].map(
      (spelling): [string, string] => [spelling, '127.0.0.1'],
    ),
    ['①②⑦.0.0.1', '127.0.0.1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['8.8.8.8', '8.8.8.8'],
  ]
  for (const [spelling, address] of spellings) {
    t.equal(literalAddress(new URL(`https://${spelling}/`).hostname), address, spelling)
    t.equal(isPublicAddress(address), address === '8.8.8.8', spelling)
  }
})

t.test('a name is no address', async (t) => {
  for (const name of ['example.com', 'example.com.', 'localhost', '127.0.0.1.example.com', 'dead.beef']) {
    t.equal(literalAddress(new URL(`https://${name}/`).hostname), undefined, name)
  }
})
