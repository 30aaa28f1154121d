// SPDX-License-Identifier: Apache-2.0
// How a Hugging Face model turns queries and keys by their position, as GGUF has it.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

// `text` is what config.json at `path` says of the language model; its sizes are in `out` already.
Status read_hf_rope(const std::string& path, const boost::json::object& text,
                    std::string_view architecture, ModelFile& out);

}  // namespace backplane::local
