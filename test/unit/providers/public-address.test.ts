import { isPublicAddress } from '../../../providers/public-address';

it.each(['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::200e'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

it.each([
  ['127.0.0.1', 'this machine'],
  ['0.0.0.0', 'this machine, by another name'],
  ['10.1.2.3', 'a private network'],
  ['172.16.0.1', 'a private network'],
  ['172.31.255.255', 'a private network'],
  ['192.168.1.1', 'a private network'],
  ['100.64.0.1', "a carrier's own network"],
  ['169.254.169.254', "the cloud's metadata service"],
  ['224.0.0.1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['192.0.2.1', 'for documents'],
  ['::', 'nothing'],
  ['::1', 'this machine'],
  ['fe80::1', 'this link'],
  ['fe80::1%eth0', 'this link'],
  ['fc00::1', 'a private network'],
  ['fd00:ec2::254', "the cloud's metadata service"],
  ['::ffff:127.0.0.1', 'IPv4 in IPv6 clothes'],
  ['::ffff:8.8.8.8', 'IPv4 in IPv6 clothes'],
  ['64:ff9b::a00:1', 'IPv4 behind a translator'],
  ['2002:a00:1::', 'IPv4 in a tunnel'],
  ['2001:0:a00:1::', 'IPv4 in a tunnel'],
  ['2001:db8::1', 'for documents'],
  ['example.org', 'a name'],
  ['', 'nothing'],
])('%s is not: %s', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});
