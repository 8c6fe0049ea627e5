/**
 * Where a request came from, without the part of the address that one household or one phone changes at will: what is
 * counted against guessing and kept in the audit trail.
 *
 * @param ip an address as the socket or a trusted proxy gives it
 * @returns an IPv4 address (/32), an IPv6 prefix (`2001:db8::/64`, RFC 5952 text), or `unknown`
 */
export function addressPrefix(ip: string): string {
  // RFC 4007 §11: a zone (`fe80::1%eth0`) means something on this host only.
  const address = ip.replace(/%.*$/s, '')
  if (IPV4.test(address)) return address
  const groups = ipv6Groups(address)
  if (groups === undefined) return 'unknown'
  // RFC 4291 §2.5.5.2: ::ffff:0:0/96 is how an IPv4 client looks on a dual-stack socket.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  }
  const prefix = groups.slice(0, 4).map((group) => group.toString(16))
  return `${canonicalIpv6(`${prefix.join(':')}::`)}/64`
}

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
export const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`)

/** The eight groups of an IPv6 address in any spelling, embedded IPv4 included. @returns undefined: it is none */
export function ipv6Groups(address: string): number[] | undefined {
  const canonical = canonicalIpv6(address)
  if (canonical === undefined) return undefined
  const [head = '', tail] = canonical.split('::')
  const before = hextets(head)
  const after = hextets(tail ?? '')
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function hextets(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

/** The URL parser knows every spelling of an IPv6 address and writes it in one way, that of RFC 5952. */
function canonicalIpv6(address: string): string | undefined {
  if (!/^[\da-f:.]{2,45}$/i.test(address)) return undefined
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1)
}
