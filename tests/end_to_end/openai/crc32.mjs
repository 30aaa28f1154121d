// SPDX-License-Identifier: Apache-2.0
// The checksum of PNG (ISO 3309), which node's zlib has only in newer versions.
const kTable = Uint32Array.from({length: 256}, (_, n) => {
  let value = n;
  for (let k = 0; k < 8; ++k) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32_of(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = kTable[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
