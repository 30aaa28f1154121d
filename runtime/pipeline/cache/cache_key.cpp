// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/cache/cache_key.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace backplane {
namespace {

// They differ from call to call and change no answer. Any other header may mean something.
constexpr std::array<std::string_view, 6> kOfOneCall = {
    "traceparent", "tracestate", "remote", "idempotency-key", "user-agent", "cache-control"};

// With its length, so that no two lists of texts read the same.
void append(std::string& out, std::string_view text) {
  const std::uint64_t size = text.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof(size));
  out += text;
}

// Looked up once: that costs more than a digest.
const EVP_MD* sha256() {
  static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> kFetched(
      EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free);
  return kFetched.get();
}

std::optional<CacheKey> digest_of(std::string_view beginning, std::string_view body) {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> kept(EVP_MD_CTX_new(),
                                                                                  &EVP_MD_CTX_free);
  CacheKey key;
  const bool good = EVP_DigestInit_ex(kept.get(), sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(kept.get(), beginning.data(), beginning.size()) == 1 &&
                    EVP_DigestUpdate(kept.get(), body.data(), body.size()) == 1 &&
                    EVP_DigestFinal_ex(kept.get(), key.digest.data(), nullptr) == 1;
  return good ? std::optional(key) : std::nullopt;
}

bool is_of_one_call(std::string_view name) {
  return std::find(kOfOneCall.begin(), kOfOneCall.end(), name) != kOfOneCall.end();
}

}  // namespace

std::optional<CacheKey> cache_key_of(const CachedRequest& request) {
  std::string beginning;
  for (const auto& [name, value] : request.tenant) {
    if (is_of_one_call(name)) continue;
    append(beginning, name);
    append(beginning, value);
  }
  append(beginning, "");  // no header has this name
  for (const std::string_view text :
       {request.model, request.routes, request.operation, request.content_type}) {
    append(beginning, text);
  }
  return digest_of(beginning, request.body);
}

}  // namespace backplane
