// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/suggestion.hpp"

#include <algorithm>
#include <cstddef>

#include "runtime/config/text_file.hpp"

namespace backplane::config {
namespace {

constexpr std::size_t kTypedMaxBytes = 64;
constexpr std::size_t kQuotedMaxBytes = 60;
constexpr std::size_t kListedMax = 10;

// Edits (insert, delete, replace, swap of neighbours) from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * width);
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      std::size_t& cell = table[i * width + j];
      if (i == 0 || j == 0) {
        cell = i + j;
        continue;
      }
      const std::size_t replaced = table[(i - 1) * width + j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cell = std::min({table[(i - 1) * width + j] + 1, table[i * width + j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cell = std::min(cell, table[(i - 2) * width + j - 2] + 1);
      }
    }
  }
  return table.back();
}

}  // namespace

std::string nearest(std::string_view typed, const std::vector<std::string>& known) {
  if (typed.size() > kTypedMaxBytes) {
    return "";
  }
  std::size_t best = std::max<std::size_t>(1, typed.size() / 3) + 1;
  std::string name;
  for (const std::string& candidate : known) {
    if (candidate.size() >= typed.size() + best || typed.size() >= candidate.size() + best) {
      continue;  // at least one edit for each byte that is missing
    }
    const std::size_t distance = edit_distance(typed, candidate);
    if (distance < best && distance < candidate.size()) {
      best = distance;
      name = candidate;
    }
  }
  return name;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& known) {
  const std::string name = nearest(typed, known);
  return name.empty() ? "" : "; did you mean " + quote(name) + "?";
}

std::string list_names(const std::vector<std::string>& names) {
  if (names.empty()) {
    return "none";
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kListedMax); ++i) {
    text += (i ? ", " : "") + quote(names[i]);
  }
  if (names.size() > kListedMax) {
    text += " and " + std::to_string(names.size() - kListedMax) + " more";
  }
  return text;
}

std::string quote(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string_view shown = text;
  if (text.size() > kQuotedMaxBytes) {
    std::size_t end = kQuotedMaxBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
      --end;
    }
    shown = text.substr(0, end);
  }
  const bool is_text = find_non_text(shown) == std::string_view::npos;
  std::string quoted = "\"";
  for (const char c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !is_text)) {
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      quoted += c;
    }
  }
  return quoted + (shown.size() < text.size() ? "…\"" : "\"");
}

}  // namespace backplane::config
