// SPDX-License-Identifier: Apache-2.0
// What it costs to verify evidence whose collateral is at hand.
#include "common/attestation/report_verifier.hpp"
#include "tests/plugins/backends/common/attestation/made_report.hpp"

#include <benchmark/benchmark.h>

namespace backplane::attestation::bench {
namespace {

void Quote_Parse(benchmark::State& state) {
  const MadeEvidence made = make_evidence(Recipe());
  for (auto _ : state) benchmark::DoNotOptimize(parse_quote(made.quote));
}
BENCHMARK(Quote_Parse)->Unit(benchmark::kMicrosecond);

void Quote_Verify(benchmark::State& state) {
  const MadeEvidence made = make_evidence(Recipe());
  for (auto _ : state) {
    if (!made.verify().is_accepted) state.SkipWithError("rejected");
  }
}
BENCHMARK(Quote_Verify)->Unit(benchmark::kMicrosecond);

// From the text of a provider's answer to the verdict on it.
void Quote_VerifyReport(benchmark::State& state) {
  const MadeReport made = make_flat_report();
  const std::string text = boost::json::serialize(made.document);
  for (auto _ : state) {
    if (!made.verify_text(text).is_accepted) state.SkipWithError("rejected");
  }
}
BENCHMARK(Quote_VerifyReport)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace backplane::attestation::bench
