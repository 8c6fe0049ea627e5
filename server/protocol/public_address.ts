import { IPV4, ipv6Groups } from './address_prefix.ts'

/**
 * The blocks of IPv4 that are nobody's on the internet, or whose answers are not for strangers.
 *
 * @see [IANA IPv4 Special-Purpose Address Registry](https://www.iana.org/assignments/iana-ipv4-special-registry/)
 */
const SPECIAL_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared behind carriers' NAT; one cloud's metadata
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // one cloud's platform, public by number only
  ['169.254.0.0', 16], // link-local; most clouds' metadata
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; one cloud's metadata
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarking
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved; broadcast
]

/**
 * Within global unicast, 2000::/3, which is all that is let through: loopback, link-local, unique-local, multicast,
 * mapped and compatible addresses are outside of it.
 *
 * @see [IANA IPv6 Special-Purpose Address Registry](https://www.iana.org/assignments/iana-ipv6-special-registry/)
 */
const SPECIAL_IPV6: readonly (readonly [readonly number[], number])[] = [
  [[0x2001, 0x0000], 23], // protocol assignments; Teredo
  [[0x2001, 0x0db8], 32], // documentation
  [[0x2002, 0x0000], 16], // 6to4: an IPv4 address in disguise
  [[0x3fff, 0x0000], 20], // documentation
]

/** Whether an address, as a resolver or a socket writes it, is one of the public internet's. */
export function isPublicAddress(address: string): boolean {
  if (IPV4.test(address)) return isPublicIpv4(ipv4Number(address))
  const groups = ipv6Groups(address)
  return groups !== undefined && isPublicIpv6(groups)
}

/**
 * The address that a URL's host is the literal of, in whichever spelling: the URL parser knows decimal, octal and hex
 * ones. @param hostname of a parsed URL. @returns undefined for a name
 */
export function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  const host = URL.parse(`http://${hostname}`)?.hostname.replace(/\.$/, '') ?? hostname
  return IPV4.test(host) ? host : undefined
}

function isPublicIpv4(address: number): boolean {
  return !SPECIAL_IPV4.some(([block, bits]) => {
    const size = 2 ** (32 - bits)
    return Math.floor(address / size) === Math.floor(ipv4Number(block) / size)
  })
}

function isPublicIpv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0] = groups
  // RFC 6052 §2.1: 64:ff9b::/96 leads to the IPv4 address in its last 32 bits, which is what counts.
  if (first === 0x64 && second === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) {
    const [high = 0, low = 0] = groups.slice(6)
    return isPublicIpv4(high * 0x1_0000 + low)
  }
  if (first >> 13 !== 1) return false
  const start = first * 0x1_0000 + second
  return !SPECIAL_IPV6.some(([[high = 0, low = 0], bits]) => {
    const size = 2 ** (32 - bits)
    return Math.floor(start / size) === Math.floor((high * 0x1_0000 + low) / size)
  })
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}
