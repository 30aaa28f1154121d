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

class Digest {
 public:
  Digest() : good_(EVP_DigestInit_ex(context(), EVP_sha256(), nullptr) == 1) {}

  // With its length, so that no two lists of texts read the same.
  void add(std::string_view text) {
    const std::uint64_t size = text.size();
    good_ = good_ && EVP_DigestUpdate(context(), &size, sizeof(size)) == 1 &&
            EVP_DigestUpdate(context(), text.data(), text.size()) == 1;
  }

  std::optional<CacheKey> finish() {
    CacheKey key;
    good_ = good_ && EVP_DigestFinal_ex(context(), key.digest.data(), nullptr) == 1;
    return good_ ? std::optional(key) : std::nullopt;
  }

 private:
  static EVP_MD_CTX* context() {
    thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> kept(
        EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    return kept.get();
  }

  bool good_;
};

bool is_of_one_call(std::string_view name) {
  return std::find(kOfOneCall.begin(), kOfOneCall.end(), name) != kOfOneCall.end();
}

}  // namespace

std::optional<CacheKey> cache_key_of(const CachedRequest& request) {
  Digest digest;
  for (const auto& [name, value] : request.tenant) {
    if (is_of_one_call(name)) continue;
    digest.add(name);
    digest.add(value);
  }
  digest.add("");  // no header has this name
  for (const std::string_view text :
       {request.model, request.routes, request.operation, request.content_type, request.body}) {
    digest.add(text);
  }
  return digest.finish();
}

}  // namespace backplane
