// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/credentials.hpp"

#include <backplane/plugin.hpp>

#include <openssl/sha.h>
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace backplane {
namespace {

constexpr std::array<std::string_view, 2> kPayments = {"x-payment", "payment-signature"};
constexpr std::array<std::string_view, 4> kIdentities = {"authorization", "x-api-key", "cookie",
                                                         "proxy-authorization"};

template <std::size_t count>
bool contains(const std::array<std::string_view, count>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_credential(std::string_view name) {
  return contains(kIdentities, name) || contains(kPayments, name);
}

std::string caller_of(const bp_pair* metadata, std::uint64_t count) {
  std::vector<std::pair<std::string_view, std::string_view>> found;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = view(metadata[i].name);
    if (contains(kIdentities, name)) found.emplace_back(name, view(metadata[i].value));
  }
  if (found.empty()) return {};
  std::sort(found.begin(), found.end());
  std::string text;
  for (const auto& [name, value] : found) {
    text += name;
    text += ':';
    text += std::to_string(value.size());
    text += ':';
    text += value;
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

}  // namespace backplane
