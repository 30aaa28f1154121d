// SPDX-License-Identifier: Apache-2.0
// What a provider's list of models (GET /models) tells, in any of the shapes that providers use.
#pragma once

#include <backplane/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

inline constexpr std::size_t kListBodyMaxBytes = std::size_t{16} << 20;
inline constexpr std::size_t kListedModelsMax = 5000;
inline constexpr std::size_t kModelNameMaxBytes = 256;  // longer: passed over

struct ListedModel {
  std::string id;
  std::string owned_by;              // empty: not told
  std::uint64_t context_length = 0;  // tokens; 0: not told
  std::string input_price;           // USD per million tokens, decimal; empty: not told
  std::string output_price;
  std::string privacy;  // as bp_backend.describe has it; empty: not told
  bool sees_images = false;

  // As bp_backend.describe has it, under the name `id`.
  std::string describe(std::string_view as) const;
};

// INVALID_ARGUMENT: `body` is no list of models. What has no name is passed over.
Result<std::vector<ListedModel>> read_model_list(std::string_view body);

}  // namespace backplane::dialect
