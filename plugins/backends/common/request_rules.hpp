// SPDX-License-Identifier: Apache-2.0
// What a provider does not take, or takes under another name, as edits of the body that the client
// sent; and what the settings add where the client said nothing.
#pragma once

#include "common/json_members.hpp"
#include "common/profile.hpp"

#include <backplane/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::dialect {

// Members of an object-valued member of the body: name and JSON of each.
struct ObjectDefaults {
  std::string member;
  std::vector<std::pair<std::string, std::string>> values;
};

struct RequestRules {
  std::vector<FieldRule> fields;
  std::vector<ObjectDefaults> defaults;
  std::vector<std::string> added = {};  // members to be put first: "name":value

  bool empty() const { return fields.empty() && defaults.empty() && added.empty(); }
};

struct RuledBody {
  std::vector<TextEdit> edits;       // by offset, not overlapping
  std::vector<std::string> dropped;  // what the client has to be told of
  std::vector<std::string> added;    // members to be put first: "name":value
  bool is_emptied = false;           // no member is left
};

// `body` begins with the brace of an object; `readable` bytes may be read from its start.
// INVALID_ARGUMENT, type UNSUPPORTED_PARAMETER: names the field that is refused. A body that is no
// JSON is left to the provider to refuse.
Result<RuledBody> apply_rules(const RequestRules& rules, std::string_view body,
                              std::size_t readable);

}  // namespace backplane::dialect
