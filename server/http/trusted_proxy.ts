import { BlockList, isIPv6 } from 'node:net'

/**
 * Makes what tells whether a connection is from one of the proxies that are believed.
 *
 * @param trust_proxy addresses and CIDR ranges: `http.trust_proxy`
 */
export function rangesOf(trust_proxy: readonly string[]): (address: string | undefined) => boolean {
  const ranges = new BlockList()
  for (const range of trust_proxy) {
    const [address = '', bits] = range.split('/')
    const family = familyOf(address)
    if (bits === undefined) ranges.addAddress(address, family)
    else ranges.addSubnet(address, Number(bits), family)
  }
  return (address) => address !== undefined && ranges.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
