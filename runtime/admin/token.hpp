// SPDX-License-Identifier: Apache-2.0
// The token that an operator presents, kept as its digest and compared in constant time.
#pragma once

#include <array>
#include <string_view>

namespace backplane {

class AdminToken {
 public:
  explicit AdminToken(std::string_view token);

  // `authorization` is the header's value: "Bearer TOKEN" (RFC 6750, section 2.1).
  bool is_in(std::string_view authorization) const;
  bool operator==(const AdminToken& other) const;

 private:
  std::array<unsigned char, 32> digest_{};
};

}  // namespace backplane
