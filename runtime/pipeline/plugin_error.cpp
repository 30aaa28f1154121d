// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/plugin_error.hpp"

#include <cstring>

namespace backplane {

Error read_error(const bp_error& error) {
  return read_failure(BP_CODE_INTERNAL, error);
}

Error read_failure(std::uint32_t code, const bp_error& error) {
  Error out;
  out.code = static_cast<Code>(error.code != BP_CODE_OK ? error.code : code);
  out.message.assign(error.message, strnlen(error.message, sizeof(error.message)));
  if (out.message.empty()) out.message = "a plugin failed without a word";
  out.type.assign(error.type, strnlen(error.type, sizeof(error.type)));
  out.http_status = error.http_status;
  out.retry_after_ms = error.retry_after_ms;
  return out;
}

}  // namespace backplane
