// SPDX-License-Identifier: Apache-2.0
// The certificate and the key of a listener, on disk: read, and read anew when they have changed.
// [control]
#pragma once

#include <array>
#include <backplane/result.hpp>
#include <cstdint>
#include <string>

#include "runtime/net/tls.hpp"

namespace backplane {

class CertificateFiles {
 public:
  CertificateFiles(std::string certificate, std::string key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  const std::string& certificate() const { return certificate_; }
  // A context for new connections. Fails if a file cannot be read, is not whole, or the two do not
  // belong together.
  Result<TlsContext> read();
  // Since the last read. What was replaced, renewed behind a link or written to counts.
  bool have_changed() const;

 private:
  // What tells one state of a file from another; all zero: it cannot be reached.
  using Stamp = std::array<std::uint64_t, 7>;
  static Stamp stamp_of(const std::string& path);

  const std::string certificate_;
  const std::string key_;
  Stamp certificate_stamp_{};
  Stamp key_stamp_{};
};

}  // namespace backplane
