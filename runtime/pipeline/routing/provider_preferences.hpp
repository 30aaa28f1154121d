// SPDX-License-Identifier: Apache-2.0
// What a request's `provider` asks for: a backend's name pins it, an object is that of
// openrouter.ai/docs/features/provider-routing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace backplane {

struct ProviderPreferences {
  enum class Sort : std::uint8_t { kPolicy, kPrice, kSpeed };

  std::string pinned;               // the one backend; empty: any
  std::vector<std::string> order;   // these first, in this order
  std::vector<std::string> only;    // no other; empty: any
  std::vector<std::string> ignore;  // not these
  bool allow_fallbacks = true;      // false: those of `order` alone, or one try
  bool is_private = false;          // those alone that keep nothing
  Sort sort = Sort::kPolicy;
  // In nano-USD per million tokens; none: any.
  std::optional<std::int64_t> input_price_max;
  std::optional<std::int64_t> output_price_max;
};

}  // namespace backplane
