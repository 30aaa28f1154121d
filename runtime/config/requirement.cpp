// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/requirement.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <system_error>
#include <utility>

#include "runtime/config/suggestion.hpp"

namespace backplane::config {
namespace {

constexpr std::size_t kBoundsMax = 8;

bool is_plugin_name(std::string_view name) {
  return !name.empty() && std::isalnum(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
         });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

Result<Requirement::Bound> parse_bound(std::string_view text) {
  Requirement::Bound bound;
  for (const std::string_view relation : {">=", "<=", ">", "<", "="}) {
    if (text.substr(0, relation.size()) == relation) {
      bound.relation = relation;
      break;
    }
  }
  const Result<Version> version = parse_version(trim(text.substr(bound.relation.size())));
  if (!version) {
    return version.error();
  }
  bound.relation = bound.relation.empty() ? "=" : bound.relation;
  bound.version = *version;
  return bound;
}

bool holds(const Version& version, const Requirement::Bound& bound) {
  if (bound.relation == ">=") {
    return version >= bound.version;
  }
  if (bound.relation == "<=") {
    return version <= bound.version;
  }
  if (bound.relation == ">") {
    return version > bound.version;
  }
  return bound.relation == "<" ? version < bound.version : version == bound.version;
}

}  // namespace

Result<Version> parse_version(std::string_view text) {
  const Error error =
      invalid_argument("expected a version such as 1.2 or 1.2.3, found " + quote(text));
  Version version{};
  std::string_view rest = text.substr(0, text.find_first_of("-+"));
  for (std::size_t part = 0; part < version.size(); ++part) {
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), version[part]);
    if (read.ec != std::errc()) {
      return error;
    }
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    if (rest.empty()) {
      return version;
    }
    if (rest.front() != '.') {
      return error;
    }
    rest.remove_prefix(1);
  }
  return error;
}

bool Requirement::accepts(const Version& version) const {
  return std::all_of(bounds.begin(), bounds.end(),
                     [&](const Bound& bound) { return holds(version, bound); });
}

Result<Requirement> parse_requirement(std::string_view uses) {
  const std::size_t at = uses.find('@');
  Requirement requirement;
  requirement.name = uses.substr(0, at);
  if (!is_plugin_name(requirement.name)) {
    return invalid_argument("expected a plugin, `name` or `name@>=1.2`, found " + quote(uses));
  }
  if (at == std::string_view::npos) {
    return requirement;
  }
  requirement.range = uses.substr(at + 1);
  std::string_view rest = requirement.range;
  while (requirement.bounds.size() < kBoundsMax) {
    const std::size_t comma = rest.find(',');
    Result<Requirement::Bound> bound = parse_bound(trim(rest.substr(0, comma)));
    if (!bound) {
      return bound.error();
    }
    requirement.bounds.push_back(std::move(*bound));
    if (comma == std::string_view::npos) {
      return requirement;
    }
    rest.remove_prefix(comma + 1);
  }
  return invalid_argument("more than " + std::to_string(kBoundsMax) + " versions in " +
                          quote(uses));
}

}  // namespace backplane::config
