// SPDX-License-Identifier: Apache-2.0
// Whole responses in gzip. One compressor for each loop: not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace backplane::http {

// A larger body would keep the loop from others.
inline constexpr std::size_t kCompressedMaxBytes = 1024 * 1024;

enum class Coding {
  kIdentity,
  kGzip,      // where it saves something
  kGzipOnly,  // the client refuses anything else
};

// By the value of Accept-Encoding (RFC 9110, 12.5.3).
Coding choose_coding(std::string_view accept_encoding);

class Compressor {
 public:
  Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor();

  // Empty: it cannot. Valid until the next call.
  std::string_view gzip(std::string_view plain);

 private:
  struct State;
  std::unique_ptr<State> state_;  // null until the first use
  std::string out_;
};

}  // namespace backplane::http
