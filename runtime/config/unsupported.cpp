// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/unsupported.hpp"

#include <string>
#include <string_view>

#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

struct Row {
  std::string_view path;   // '*' stands for any key
  std::string_view value;  // empty: whatever the value
  std::string_view what;
  std::string_view remedy;
};

// A part that is served loses its row, nothing else changes.
constexpr Row kRows[] = {
    {"services", "", "services", "remove the section"},
    {"plans", "", "plans", "remove the section"},
    {"store", "", "a store", "remove the section"},
    {"tests", "", "tests", "remove the section"},
};

class Search {
 public:
  Search(const Row& row, Diagnostics& diagnostics) : row_(row), diagnostics_(diagnostics) {}

  void in(const Node& node, std::string_view rest, const std::string& path,
          const Position& position) {
    if (node.origin == Origin::kDefault) {
      return;
    }
    if (rest.empty()) {
      report(node, path, position);
      return;
    }
    const std::size_t dot = rest.find('.');
    const std::string_view step = rest.substr(0, dot);
    const std::string_view next = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
    for (const Entry& entry : node.entries) {
      if (step == "*" || step == entry.key) {
        in(entry.value, next, path_of_key(path, entry.key), entry.position);
      }
    }
  }

 private:
  void report(const Node& node, const std::string& path, const Position& key) {
    if (!row_.value.empty() && node.text != row_.value) {
      return;
    }
    diagnostics_.error(row_.value.empty() ? key : node.position, path,
                       "not supported by this runtime yet: " + std::string(row_.what) + "; " +
                           std::string(row_.remedy));
  }

  const Row& row_;
  Diagnostics& diagnostics_;
};

}  // namespace

void refuse_unsupported(const Node& root, Diagnostics& diagnostics) {
  for (const Row& row : kRows) {
    Search(row, diagnostics).in(root, row.path, "", root.position);
  }
}

}  // namespace backplane::config
