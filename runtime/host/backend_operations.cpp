// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/backend_operations.hpp"

#include "runtime/plugin/description.hpp"

namespace backplane {

Result<std::vector<std::string>> operations_of(const BackendPlugin& backend) {
  const Result<std::string> text = backend.describe();
  if (!text) return text.error();
  Result<Description> description = read_description(*text);
  if (description) return std::move(description->operations);
  Error error = description.error();
  error.message = backend.place() + "describe: " + error.message;
  return error;
}

}  // namespace backplane
