// SPDX-License-Identifier: Apache-2.0
// Receipts of whatever bytes: none verifies, as no quote in them is under the root, and what is
// read says the same when it is written and read again.
#include "common/receipts/receipt_verifier.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "tests/plugins/backends/common/attestation/made_evidence.hpp"

namespace backplane::fuzz {
namespace {

using namespace attestation;

const MadeEvidence& good() {
  static const MadeEvidence made = make_evidence(Recipe());
  return made;
}

void check(std::string_view text) {
  const Result<receipts::Receipt> receipt = receipts::read_receipt(text);
  if (!receipt) return expect(!receipt.error().message.empty(), "refused without a word");
  receipts::VerifierOptions options;
  options.quote = good().options;
  options.request_sha256 = receipt->request.sha256;
  const auto source = [](const Platform&) { return &good().collateral; };
  const receipts::ReceiptVerdict verdict = receipts::verify_receipt(*receipt, source, options);
  expect(!verdict.is_accepted && verdict.rejection.has_value(), "a receipt is accepted");
  const std::string written = receipts::to_json(*receipt);
  expect(written.size() <= receipts::kReceiptBytesMax, "a receipt that is too large");
  if (written.empty()) return;
  const Result<receipts::Receipt> again = receipts::read_receipt(written);
  expect(bool(again), "a receipt that cannot be read again");
  expect_same(written, receipts::to_json(*again), "two receipts");
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  backplane::fuzz::check(backplane::fuzz::text_of(data, size));
  return 0;
}
