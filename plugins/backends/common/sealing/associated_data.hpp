// SPDX-License-Identifier: Apache-2.0
// What a ciphertext is bound to, as the bytes that both sides feed the cipher. Pure functions
// [any-thread].
#pragma once

#include "common/sealing/variant.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::sealing {

// What is one call's, and goes into headers as well.
struct Freshness {
  std::string nonce;  // 64 hexadecimal digits
  std::int64_t unix_time_s = 0;
};

struct RequestPlace {
  std::string_view model;  // of the request, as sent
  std::size_t message = 0;
  std::optional<std::size_t> part;  // of its content, of which the text; none: all of the content
};

struct ResponsePlace {
  std::string_view request_model;
  std::string_view response_model;  // as the document tells; empty: it does not
  std::string_view id;              // likewise
  std::size_t position = 0;         // of the choice in its document
  std::uint64_t index = 0;          // as the choice tells, or else its position
  bool is_delta = true;             // of a stream; else of a whole message
  std::string_view field;           // "content", "audio.data" ...
};

// Empty where the variant binds nothing.
std::string request_associated_data(const Variant& variant, const Freshness& freshness,
                                    const RequestPlace& place);
std::string response_associated_data(const Variant& variant, const Freshness& freshness,
                                     const ResponsePlace& place);

}  // namespace backplane::sealing
