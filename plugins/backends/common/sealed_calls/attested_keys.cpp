// SPDX-License-Identifier: Apache-2.0
#include "common/sealed_calls/attested_keys.hpp"

#include <utility>

namespace backplane::sealed_calls {
namespace {

std::string name_of(const attestation::Platform& platform) {
  return attestation::to_hex(platform.fmspc) + ' ' + std::string(platform.ca);
}

}  // namespace

std::shared_ptr<const ModelProof> AttestedKeys::proof_of(std::string_view model,
                                                         std::int64_t unix_time_s) const {
  const std::lock_guard lock(mutex_);
  const auto found = proofs_.find(model);
  if (found == proofs_.end() || found->second->until_unix_time_s <= unix_time_s) return nullptr;
  return found->second;
}

void AttestedKeys::keep_proof(std::string_view model, std::shared_ptr<const ModelProof> proof) {
  const std::lock_guard lock(mutex_);
  if (proofs_.size() >= kModelsMax) proofs_.clear();
  proofs_.insert_or_assign(std::string(model), std::move(proof));
}

void AttestedKeys::drop_proof(std::string_view model) {
  const std::lock_guard lock(mutex_);
  const auto found = proofs_.find(model);
  if (found != proofs_.end()) proofs_.erase(found);
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
