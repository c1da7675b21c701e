/**
 * One unambiguous byte string out of several texts: each is preceded by its length, so that ('ab', 'c') and
 * ('a', 'bc') never authenticate each other.
 */
export function lengthPrefixed(parts: readonly string[]): Buffer {
  let size = 0;
  for (const part of parts) size += 4 + Buffer.byteLength(part);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    const written = bytes.write(part, at + 4);
    at = bytes.writeUInt32BE(written, at) + written;
  }
  return bytes;
}
