// SPDX-License-Identifier: Apache-2.0
// What a backend says of itself (<backplane/backend.h>, describe).
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

// Members that are no more than told are left as they are where they have another type.
struct DescribedModel {
  std::string id;
  std::int64_t input_price = -1;  // nano-USD per million tokens; below 0: unknown
  std::int64_t output_price = -1;
  std::uint64_t context_length = 0;  // tokens; 0: unknown
  std::vector<std::string> input_modalities;
  std::vector<std::string> output_modalities;
  std::string privacy;  // empty: unknown
};

struct Description {
  std::vector<DescribedModel> models;   // empty: any name is passed on
  std::vector<std::string> operations;  // never empty
};

// Reads what describe returned; the error says what is wrong with it.
Result<Description> read_description(std::string_view text);

}  // namespace backplane
