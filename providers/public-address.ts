import { BlockList, isIP } from 'node:net';

/**
 * Which addresses belong to the open internet. Whoever may configure or answer for a webhook must not make us talk to
 * what only we can reach: the cloud's metadata service, the database's neighbours, this machine.
 */

/** IANA's special-purpose registry for IPv4 (RFC 6890 and its successors), multicast and reserved. */
const NOT_PUBLIC = new BlockList();
const RANGES: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
for (const [network, bits] of RANGES) NOT_PUBLIC.addSubnet(network, bits, 'ipv4');

/** Of IPv6 only global unicast is public, without what is for documents or wraps another address. */
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6');
const NOT_PUBLIC_IPV6 = new BlockList();
// IETF's own with Teredo, documentation twice, 6to4.
NOT_PUBLIC_IPV6.addSubnet('2001::', 23, 'ipv6');
NOT_PUBLIC_IPV6.addSubnet('2001:db8::', 32, 'ipv6');
NOT_PUBLIC_IPV6.addSubnet('3fff::', 20, 'ipv6');
NOT_PUBLIC_IPV6.addSubnet('2002::', 16, 'ipv6');

/** Whether an IP address, as text, is one that anybody can reach; false for what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false;
  // IPv4 in IPv6 clothes (::ffff:…, 64:ff9b::…) is not global unicast: refused whatever it wraps.
  return GLOBAL_UNICAST.check(address, 'ipv6') && !NOT_PUBLIC_IPV6.check(address, 'ipv6');
}
