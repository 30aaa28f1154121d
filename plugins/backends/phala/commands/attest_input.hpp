// SPDX-License-Identifier: Apache-2.0
// What `backplane attest` was told, and the evidence that it is about.
#pragma once

#include <backplane/result.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "common/attestation/report_verifier.hpp"

namespace backplane::phala {

struct AttestArguments {
  std::string source;                   // a URL or a file
  std::vector<std::string> collateral;  // files
  std::string pccs;                     // where else collateral comes from
  std::string nonce;                    // hex; empty: a fresh one for a URL, none for a file
  std::string model;
  std::vector<std::string> accepted;  // TCB statuses
  std::int64_t at = -1;               // unix time; -1: now
  bool is_json = false;
};

// As the arguments say, for what they mean by themselves. Errors: kInvalidArgument, wrong usage.
Result<attestation::ReportOptions> options_of(const AttestArguments& arguments);

// Errors: kNotFound; kInvalidArgument, longer than that.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// The report's text. A URL is asked with the nonce of `options`, or one that is put there: that of
// its own query, else a fresh one.
Result<std::string> read_source(const AttestArguments& arguments,
                                attestation::ReportOptions& options);

// The collateral of the files, or else what is fetched for each platform of the report.
class CollateralShelf {
 public:
  Status read_files(const std::vector<std::string>& files);
  // A platform for which none is to be had is left out, and the reason returned.
  std::vector<Error> fetch_for(const attestation::Report& report, const std::string& base_url);
  bool is_empty() const { return entries_.empty(); }
  const attestation::Collateral* find(const attestation::Platform& platform) const;

 private:
  struct Entry {
    attestation::Field<6> fmspc{};  // of its TCB info
    std::string ca;                 // empty: of any
    attestation::Collateral collateral;
  };
  std::vector<Entry> entries_;
};

}  // namespace backplane::phala
