// SPDX-License-Identifier: Apache-2.0
// SHA-256 over the exact bytes of a message, as they come. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace backplane::sealing {

class ByteHash {
 public:
  ByteHash();
  ~ByteHash();
  ByteHash(ByteHash&&) noexcept;
  ByteHash& operator=(ByteHash&&) noexcept;

  void add(std::string_view bytes);

  // Of all that was added, in lower-case hexadecimal. More may be added after it.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace backplane::sealing
