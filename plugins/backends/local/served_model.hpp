// SPDX-License-Identifier: Apache-2.0
// What a loaded model can be asked for besides text: which operations it serves, how it makes
// vectors and scores, and its adapters. Made from the settings and the model's file.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/adapters/adapter_store.hpp"
#include "plugins/backends/local/engine/engine.hpp"
#include "plugins/backends/local/pooled_work.hpp"

namespace backplane::local {

struct ServedModel {
  PooledSettings pooled;
  std::vector<std::string> operations;
  std::unique_ptr<AdapterStore> adapters;

  bool serves(std::string_view operation) const;
  // `settings`: the instance's, valid by its schema. The engine outlives the result.
  static Result<ServedModel> load(const boost::json::object& settings, const Engine& engine);
};

// Whether there may be adapters at all.
bool has_adapters(const boost::json::object& settings);

}  // namespace backplane::local
