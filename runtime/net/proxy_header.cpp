// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/proxy_header.hpp"

#include <algorithm>
#include <cstring>

namespace backplane {

namespace {

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixedBytes = 16;
constexpr std::size_t kTlvHeadBytes = 3;
constexpr unsigned kVersion2 = 2;
constexpr unsigned kCommandLocal = 0;
constexpr unsigned kCommandProxy = 1;

// Family and transport of what is proxied; no other comes over a stream.
constexpr unsigned kUnspecified = 0x00;
constexpr unsigned kTcp4 = 0x11;
constexpr unsigned kTcp6 = 0x21;
constexpr unsigned kUnixStream = 0x31;

// Source, destination, and the ports of both.
constexpr std::size_t kTcp4Bytes = 4 + 4 + 2 + 2;
constexpr std::size_t kTcp6Bytes = 16 + 16 + 2 + 2;
constexpr std::size_t kUnixBytes = 108 + 108;

unsigned byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

std::size_t length_at(std::string_view bytes, std::size_t index) {
  return byte_at(bytes, index) << 8 | byte_at(bytes, index + 1);
}

bool are_tlvs(std::string_view bytes) {
  while (bytes.size() >= kTlvHeadBytes) {
    const std::size_t size = kTlvHeadBytes + length_at(bytes, 1);
    if (size > bytes.size()) return false;
    bytes.remove_prefix(size);
  }
  return bytes.empty();
}

// False: of an unknown kind, or shorter than its kind.
bool read_source(unsigned kind, std::string_view bytes, ProxyHeader& header) {
  SocketAddress& source = header.source;
  switch (kind) {
    case kUnspecified:
      header.verdict = ProxyVerdict::kLocal;
      return true;
    case kTcp4:
      if (bytes.size() < kTcp4Bytes) return false;
      source.v4.sin_family = AF_INET;
      std::memcpy(&source.v4.sin_addr, bytes.data(), 4);
      std::memcpy(&source.v4.sin_port, bytes.data() + 8, 2);
      return are_tlvs(bytes.substr(kTcp4Bytes));
    case kTcp6:
      if (bytes.size() < kTcp6Bytes) return false;
      source.v6.sin6_family = AF_INET6;
      std::memcpy(&source.v6.sin6_addr, bytes.data(), 16);
      std::memcpy(&source.v6.sin6_port, bytes.data() + 32, 2);
      return are_tlvs(bytes.substr(kTcp6Bytes));
    case kUnixStream:
      if (bytes.size() < kUnixBytes) return false;
      source.any.sa_family = AF_UNIX;
      return are_tlvs(bytes.substr(kUnixBytes));
    default:
      return false;
  }
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) {
  const ProxyHeader malformed{ProxyVerdict::kMalformed};
  const std::size_t known = std::min(bytes.size(), kSignature.size());
  if (bytes.substr(0, known) != kSignature.substr(0, known)) return malformed;
  if (bytes.size() > 12) {
    const unsigned command = byte_at(bytes, 12);
    if (command >> 4 != kVersion2 || (command & 0xf) > kCommandProxy) return malformed;
  }
  if (bytes.size() < kFixedBytes) return {ProxyVerdict::kNeedMore};
  const std::size_t size = kFixedBytes + length_at(bytes, 14);
  if (size > kProxyHeaderMaxBytes) return malformed;
  if (bytes.size() < size) return {ProxyVerdict::kNeedMore};
  ProxyHeader header{ProxyVerdict::kProxied, size};
  std::memset(&header.source, 0, sizeof(header.source));
  if ((byte_at(bytes, 12) & 0xf) == kCommandLocal) {
    header.verdict = ProxyVerdict::kLocal;  // the rest is to be ignored
    return header;
  }
  const std::string_view rest = bytes.substr(kFixedBytes, size - kFixedBytes);
  return read_source(byte_at(bytes, 13), rest, header) ? header : malformed;
}

}  // namespace backplane
