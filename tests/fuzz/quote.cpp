// SPDX-License-Identifier: Apache-2.0
// Quotes. After a first byte of 0 the input is one, and never a genuine one. Else it changes a good
// one: three bytes each, where (little-endian) and to what. Only the unchanged one is accepted.
#include "common/attestation/quote_verifier.hpp"

#include "tests/fuzz/fuzzing.hpp"
#include "tests/plugins/backends/common/attestation/made_evidence.hpp"

namespace backplane::fuzz {
namespace {

using namespace attestation;

const MadeEvidence& good() {
  static const MadeEvidence made = [] {
    Recipe recipe;
    recipe.has_nul = false;
    return make_evidence(recipe);
  }();
  return made;
}

void check_verdict(const QuoteVerdict& verdict) {
  expect(verdict.is_accepted != verdict.rejection.has_value(), "a verdict without its reason");
  expect(!verdict.is_genuine || verdict.tcb.has_value(), "a genuine quote without a status");
  expect(verdict.is_genuine || !verdict.is_accepted, "accepted, but not genuine");
}

void verify_any(BytesView bytes) {
  if (const Result<Quote> quote = parse_quote(bytes); quote) {
    expect(quote->trailing_bytes < bytes.size(), "more bytes follow than there are");
    static_cast<void>(platform_of(*quote));
  }
  const QuoteVerdict verdict = verify_quote(bytes, good().collateral, good().options);
  check_verdict(verdict);
  expect(!verdict.is_genuine, "a quote from nowhere is genuine");
}

// But for the text around the certificates, which nobody signs.
bool says_the_same(BytesView one, BytesView other) {
  const Result<Quote> a = parse_quote(one), b = parse_quote(other);
  return a && b && a->signed_part == b->signed_part && a->signature == b->signature &&
         a->attestation_key == b->attestation_key && a->qe_report_bytes == b->qe_report_bytes &&
         a->qe_report_signature == b->qe_report_signature &&
         a->qe_authentication_data == b->qe_authentication_data;
}

void verify_changed(BytesView edits) {
  Bytes quote = good().quote;
  for (; edits.size() >= 3; edits = edits.subspan(3)) {
    const std::size_t at = edits[0] | static_cast<std::size_t>(edits[1]) << 8;
    quote[at % quote.size()] = edits[2];
  }
  const QuoteVerdict verdict = verify_quote(quote, good().collateral, good().options);
  check_verdict(verdict);
  expect(verdict.is_accepted || quote != good().quote, "a good quote is rejected");
  expect(!verdict.is_accepted || says_the_same(quote, good().quote), "a changed quote is accepted");
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  if (size == 0) return 0;
  const BytesView rest(data + 1, size - 1);
  if (data[0] == 0) {
    verify_any(rest);
  } else {
    verify_changed(rest);
  }
  return 0;
}
