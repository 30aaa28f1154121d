// SPDX-License-Identifier: Apache-2.0
// A response is the same however its bytes come, and whoever stops it can go on.
#include "runtime/net/http_response.hpp"

#include <string>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

class Transcript final : public ResponseSink {
 public:
  explicit Transcript(bool stops) : stops_(stops) {}
  bool on_head(std::uint32_t status, std::span<const bp_pair> headers) override {
    text += std::to_string(status) + "\n";
    for (const bp_pair& header : headers) {
      text.append(header.name.data, header.name.size).append(": ");
      text.append(header.value.data, header.value.size).append("\n");
    }
    return !stops_;
  }
  bool on_body(std::string_view bytes) override {
    expect(!bytes.empty(), "an empty piece of a body");
    text.append(bytes);
    return !stops_;
  }
  std::string text;

 private:
  bool stops_;
};

class Reading {
 public:
  Reading(bool to_head, bool stops) : transcript_(stops), reader_(transcript_) {
    reader_.begin(to_head);
  }
  bool feed(std::string_view bytes) {
    held_.append(bytes);
    do {
      std::size_t consumed = 0;
      progress_ = reader_.read(held_, consumed);
      if (progress_ == Progress::kMalformed) return false;
      expect(consumed <= held_.size(), "more was consumed than there was");
      held_.erase(0, consumed);
    } while (progress_ == Progress::kStopped);
    return progress_ == Progress::kNeedMore;
  }
  std::string end() {
    if (progress_ == Progress::kNeedMore) progress_ = reader_.end(false);
    if (progress_ == Progress::kMalformed) return "malformed";
    return transcript_.text + (reader_.keeps_alive() ? "\nstays" : "\nends");
  }

 private:
  Transcript transcript_;
  ResponseReader reader_;
  Progress progress_ = Progress::kNeedMore;
  std::string held_;
};

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Pieces pieces(data, size);
  for (const bool to_head : {false, true}) {
    Reading whole(to_head, false);
    whole.feed(pieces.whole());
    Reading cut(to_head, true);
    pieces.each([&](std::string_view piece) { return cut.feed(piece); });
    expect_same(whole.end(), cut.end(), "the response depends on where the bytes are cut");
  }
  return 0;
}
