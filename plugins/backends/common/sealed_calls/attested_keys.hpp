// SPDX-License-Identifier: Apache-2.0
// What the calls of one instance know of models' attestations: proofs that were verified a short
// while ago, and the collateral that quotes are verified with. [any-thread]
#pragma once

#include "common/attestation/report_verifier.hpp"
#include "common/sealed_calls/model_proof.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::sealed_calls {

inline constexpr std::int64_t kCollateralAgeMaxS = 12 * 3600;
inline constexpr std::size_t kModelsMax = 1024;
inline constexpr std::size_t kPlatformsMax = 256;

class AttestedKeys {
 public:
  // Null: nothing was verified, or too long ago. Shared by this and by the calls that rest on it.
  std::shared_ptr<const ModelProof> proof_of(std::string_view model,
                                             std::int64_t unix_time_s) const;
  void keep_proof(std::string_view model, std::shared_ptr<const ModelProof> proof);
  // Calls found that it holds no more.
  void drop_proof(std::string_view model);

  // Null: none, or too old. Shared by this and by whoever verifies with it.
  std::shared_ptr<const attestation::Collateral> collateral_of(
      const attestation::Platform& platform, std::int64_t unix_time_s) const;
  void keep_collateral(const attestation::Platform& platform, attestation::Collateral collateral,
                       std::int64_t unix_time_s);
  // Quotes were rejected with it: the next one is verified with what is fetched anew.
  void drop_collateral(const attestation::Platform& platform);

 private:
  struct Kept {
    std::shared_ptr<const attestation::Collateral> collateral;
    std::int64_t unix_time_s;
  };

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const ModelProof>, std::less<>> proofs_;
  std::map<std::string, Kept, std::less<>> collateral_;
};

}  // namespace backplane::sealed_calls
