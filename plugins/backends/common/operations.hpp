// SPDX-License-Identifier: Apache-2.0
// What the dialect offers: where each operation is sent, and what may come back.
#pragma once

#include <span>
#include <string_view>

#include "common/http_call.hpp"

namespace backplane::dialect {

struct Operation {
  std::string_view name;
  std::string_view path;  // behind base_url
  bool takes_form;        // multipart/form-data, or else JSON
  bool may_be_bytes;      // audio, subtitles, text; else only JSON is an answer
  Streams streams;
  Completion completion;
};

std::span<const Operation> operations();

// Null: no such operation.
const Operation* find_operation(std::string_view name);

}  // namespace backplane::dialect
