// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/deployment_changes.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace backplane {
namespace {

constexpr std::array<std::string_view, 4> kNamed = {"transports", "backends", "models", "payments"};

bool is_named(std::string_view section) {
  return std::find(kNamed.begin(), kNamed.end(), section) != kNamed.end();
}

void compare(const config::Node* before, const config::Node* after, const std::string& path,
             std::vector<std::string>& changes) {
  if (before == nullptr && after == nullptr) return;
  if (before == nullptr || after == nullptr) {
    changes.push_back(path + (before == nullptr ? ": added" : ": removed"));
  } else if (!config::same_value(*before, *after)) {
    changes.push_back(path + ": changed");
  }
}

void compare_named(const config::Node& before, const config::Node& after,
                   const std::string& section, std::vector<std::string>& changes) {
  for (const config::Entry& entry : after.entries) {
    compare(before.find(entry.key), &entry.value, config::path_of_key(section, entry.key), changes);
  }
  for (const config::Entry& entry : before.entries) {
    if (after.find(entry.key) != nullptr) continue;
    compare(&entry.value, nullptr, config::path_of_key(section, entry.key), changes);
  }
}

}  // namespace

std::vector<std::string> changes_between(const config::Node& before, const config::Node& after) {
  std::vector<std::string> changes;
  for (const config::Entry& section : after.entries) {
    const config::Node* const then = before.find(section.key);
    if (then != nullptr && is_named(section.key)) {
      compare_named(*then, section.value, section.key, changes);
    } else {
      compare(then, &section.value, section.key, changes);
    }
  }
  for (const config::Entry& section : before.entries) {
    if (after.find(section.key) == nullptr) compare(&section.value, nullptr, section.key, changes);
  }
  return changes;
}

}  // namespace backplane
