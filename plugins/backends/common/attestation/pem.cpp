// SPDX-License-Identifier: Apache-2.0
#include "common/attestation/pem.hpp"

namespace backplane::attestation {
namespace {

constexpr std::string_view kDashes = "-----";

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

void skip_space(std::string_view& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

bool take_marker(std::string_view& text, std::string_view word, std::string_view label) {
  return take(text, kDashes) && take(text, word) && take(text, label) && take(text, kDashes);
}

// The base64 until the next marker, without its line ends.
std::string take_base64(std::string_view& text) {
  std::string digits;
  while (!text.empty() && text.front() != '-') {
    const char next = text.front();
    text.remove_prefix(1);
    if (next != '\n' && next != '\r') digits += next;
  }
  return digits;
}

}  // namespace

bool is_pem(std::string_view text) {
  skip_space(text);
  return text.starts_with("-----BEGIN ");
}

Result<std::vector<Bytes>> read_pem(std::string_view text, std::string_view label) {
  if (text.size() > kPemBytesMax) return invalid_argument("the PEM text is longer than 64 KiB");
  if (text.ends_with('\0')) text.remove_suffix(1);
  std::vector<Bytes> blocks;
  for (skip_space(text); !text.empty(); skip_space(text)) {
    if (blocks.size() == kPemBlocksMax) return invalid_argument("the PEM text has too many blocks");
    if (!take_marker(text, "BEGIN ", label)) {
      return invalid_argument("the PEM text has something that does not begin a " +
                              std::string(label));
    }
    std::optional<Bytes> block = from_base64(take_base64(text), kPemBytesMax);
    if (!block || block->empty() || !take_marker(text, "END ", label)) {
      return invalid_argument("a " + std::string(label) + " of the PEM text is broken");
    }
    blocks.push_back(std::move(*block));
  }
  return blocks;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = text[at] == '%' ? from_hex(text.substr(at + 1, 2), 1) : std::nullopt;
    const bool is_escape = byte && byte->size() == 1;
    decoded += is_escape ? static_cast<char>(byte->front()) : text[at];
    if (is_escape) at += 2;
  }
  return decoded;
}

}  // namespace backplane::attestation
