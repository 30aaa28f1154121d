// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/attested_keys.hpp"

#include <utility>

namespace backplane::sealed_calls {
namespace {

std::string name_of(const attestation::Platform& platform) {
  return attestation::to_hex(platform.fmspc) + ' ' + std::string(platform.ca);
}

}  // namespace

std::optional<std::string> AttestedKeys::key_of(std::string_view model,
                                                std::int64_t unix_time_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(model);
  if (found == keys_.end() || found->second.until_unix_time_s <= unix_time_s) return std::nullopt;
  return found->second.text;
}

void AttestedKeys::keep_key(std::string_view model, std::string key,
                            std::int64_t until_unix_time_s) {
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kModelsMax) keys_.clear();
  keys_.insert_or_assign(std::string(model), Key{std::move(key), until_unix_time_s});
}

std::shared_ptr<const attestation::Collateral> AttestedKeys::collateral_of(
    const attestation::Platform& platform, std::int64_t unix_time_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = collateral_.find(name_of(platform));
  if (found == collateral_.end()) return nullptr;
  if (unix_time_s - found->second.unix_time_s > kCollateralAgeMaxS) return nullptr;
  return found->second.collateral;
}

void AttestedKeys::keep_collateral(const attestation::Platform& platform,
                                   attestation::Collateral collateral, std::int64_t unix_time_s) {
  auto kept = std::make_shared<const attestation::Collateral>(std::move(collateral));
  const std::lock_guard lock(mutex_);
  if (collateral_.size() >= kPlatformsMax) collateral_.clear();
  collateral_.insert_or_assign(name_of(platform), Kept{std::move(kept), unix_time_s});
}

void AttestedKeys::drop_collateral(const attestation::Platform& platform) {
  const std::lock_guard lock(mutex_);
  collateral_.erase(name_of(platform));
}

}  // namespace backplane::sealed_calls
