// SPDX-License-Identifier: Apache-2.0
// What the text of an answer turns out to be.
#pragma once

#include <string_view>

namespace backplane::local {

class OutputListener {
 public:
  virtual ~OutputListener() = default;
  virtual void on_content(std::string_view text) = 0;
  virtual void on_reasoning(std::string_view text) = 0;
  // A call begins; `id` is empty where the model gave none.
  virtual void on_tool_call(std::string_view name, std::string_view id) = 0;
  // The next piece of the arguments of the call that began last: JSON text.
  virtual void on_arguments(std::string_view json) = 0;
};

}  // namespace backplane::local
