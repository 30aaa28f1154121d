// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/url_text.hpp"

namespace backplane::sealed_calls {

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char letter : text) {
    if (kPlain.find(letter) != std::string_view::npos) {
      out += letter;
    } else {
      const auto code = static_cast<unsigned char>(letter);
      out += {'%', kHex[code >> 4U], kHex[code & 15U]};
    }
  }
  return out;
}

}  // namespace backplane::sealed_calls
