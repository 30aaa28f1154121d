// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/embeddings/embedding_document.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <numeric>

namespace backplane::local {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kNumberBytesMax = 24;

void append_numbers(std::string& out, std::span<const float> vector) {
  std::array<char, kNumberBytesMax> text{};
  out += '[';
  for (const float value : vector) {
    if (out.back() != '[') out += ',';
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    out.append(text.data(), end);
  }
  out += ']';
}

}  // namespace

std::string base64_of(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k > count ? '=' : kDigits[group >> (18 - 6 * k) & 63U];
    }
  }
  return out;
}

std::string embedding_item(std::size_t index, std::span<const float> vector, bool is_base64) {
  std::string out = R"({"object":"embedding","index":)" + std::to_string(index);
  out.reserve(out.size() + vector.size() * (is_base64 ? 6 : 14));
  out += R"(,"embedding":)";
  if (is_base64) {
    out += '"' + base64_of(std::as_bytes(vector)) + '"';
  } else {
    append_numbers(out, vector);
  }
  out += '}';
  return out;
}

std::string embedding_document(const std::vector<std::string>& items, std::string_view model,
                               std::uint64_t prompt_tokens) {
  std::string out = R"({"object":"list","data":[)";
  const std::size_t size = std::accumulate(
      items.begin(), items.end(), std::size_t{256},
      [](std::size_t sum, const std::string& item) { return sum + item.size() + 1; });
  out.reserve(size + model.size());
  for (const std::string& item : items) {
    if (&item != &items.front()) out += ',';
    out += item;
  }
  const std::string tokens = std::to_string(prompt_tokens);
  out += R"(],"model":)";
  out += model;
  out += R"(,"usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}}";
  return out;
}

}  // namespace backplane::local
