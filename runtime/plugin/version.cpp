// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/version.hpp"

#include <algorithm>
#include <charconv>

namespace backplane {
namespace {

// Reads "1", "1.2" or "1.2.3"; the number of parts, 0 where it is none of these.
std::size_t parse_parts(std::string_view text, Version& version) {
  std::size_t parts = 0;
  const char* next = text.data();
  const char* const end = text.data() + text.size();
  while (parts < version.size()) {
    const auto [after, failure] = std::from_chars(next, end, version[parts]);
    if (failure != std::errc{}) return 0;
    ++parts;
    if (after == end) return parts;
    if (*after != '.') return 0;
    next = after + 1;
  }
  return 0;
}

std::optional<VersionBound> parse_bound(std::string_view text) {
  using Relation = VersionBound::Relation;
  struct Sign {
    std::string_view text;
    Relation relation;
  };
  constexpr std::array<Sign, 5> kSigns{{{">=", Relation::kAtLeast},
                                        {"<=", Relation::kAtMost},
                                        {">", Relation::kAbove},
                                        {"<", Relation::kBelow},
                                        {"=", Relation::kEqual}}};
  for (const Sign& sign : kSigns) {
    if (text.substr(0, sign.text.size()) != sign.text) continue;
    VersionBound bound;
    bound.relation = sign.relation;
    bound.parts = parse_parts(text.substr(sign.text.size()), bound.version);
    if (bound.parts == 0) return std::nullopt;
    return bound;
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Version> parse_version(std::string_view text) {
  Version version{};
  if (parse_parts(text, version) != version.size()) return std::nullopt;
  return version;
}

bool VersionBound::accepts(const Version& candidate) const {
  switch (relation) {
    case Relation::kAtLeast:
      return candidate >= version;
    case Relation::kAbove:
      return candidate > version;
    case Relation::kAtMost:
      return candidate <= version;
    case Relation::kBelow:
      return candidate < version;
    case Relation::kEqual:
      return std::equal(candidate.begin(), candidate.begin() + static_cast<std::ptrdiff_t>(parts),
                        version.begin());
  }
  return false;
}

bool PluginReference::accepts(const Version& candidate) const {
  return std::all_of(bounds.begin(), bounds.end(),
                     [&](const VersionBound& bound) { return bound.accepts(candidate); });
}

Result<PluginReference> parse_reference(std::string_view uses) {
  const std::string quoted = "\"" + std::string(uses.substr(0, kReferenceBytesMax)) + "\"";
  const std::size_t at = uses.find('@');
  PluginReference reference;
  reference.name = uses.substr(0, at);
  if (uses.size() > kReferenceBytesMax || reference.name.empty()) {
    return invalid_argument("uses: expected a plugin's name, found " + quoted);
  }
  if (at == std::string_view::npos) return reference;
  std::string_view rest = uses.substr(at + 1);
  reference.range = rest;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    const std::optional<VersionBound> bound = parse_bound(trimmed(rest.substr(0, comma)));
    if (!bound) {
      return invalid_argument("uses: expected name@RANGE with >=, >, <=, < or = and a version, " +
                              std::string("as in \"echo@>=1.2,<2\", found ") + quoted);
    }
    reference.bounds.push_back(*bound);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return reference;
}

}  // namespace backplane
