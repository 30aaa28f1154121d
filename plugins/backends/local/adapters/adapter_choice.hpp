// SPDX-License-Identifier: Apache-2.0
// Which adapter a request asks for, and how strongly.
#pragma once

#include <backplane/result.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "plugins/backends/local/adapters/adapter_store.hpp"

namespace backplane::local {

// The request's field "adapter": a name, or an object of name and scale; "" asks for none.
struct AdapterField {
  bool is_given = false;
  std::string name;
  float scale = 1;
};
Result<AdapterField> read_adapter_field(const boost::json::object& body);

struct AdapterChoice {
  std::shared_ptr<const LoraAdapter> adapter;  // nullptr: the model as it is
  float scale = 1;
};

// What the field says, or else what the route calls the model, when that is an adapter's name or
// ends in ":" and one. `base_name` is the model's own name: an adapter of it that there is not is
// an error. Any thread.
Result<AdapterChoice> choose_adapter(const AdapterField& field, std::string_view model,
                                     std::string_view base_name, AdapterStore& store,
                                     std::int64_t now_ms);

}  // namespace backplane::local
