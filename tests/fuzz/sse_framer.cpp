// SPDX-License-Identifier: Apache-2.0
// An event stream gives the same events however its bytes come.
#include "common/sse_framer.hpp"

#include <string>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using dialect::SseEvent;
using dialect::SseFramer;

class Reading {
 public:
  void feed(std::string_view bytes) {
    held_.assign(framer_.unread()).append(bytes);
    framer_.feed(held_);
    while (const auto event = framer_.next()) note(*event);
  }
  std::string end() {
    if (const auto event = framer_.finish()) note(*event);
    return std::move(text_) + (framer_.overflowed() ? "overflow" : "");
  }

 private:
  void note(const SseEvent& event) {
    expect(event.data.size() <= dialect::kEventMaxBytes, "an event beyond the bound");
    text_.append(event.name).append(event.is_error ? " error " : " ");
    text_ += std::to_string(event.data.size()) + ":";
    text_.append(event.data).append("\n");
  }

  SseFramer framer_;
  std::string held_;
  std::string text_;
};

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Pieces pieces(data, size);
  Reading whole;
  whole.feed(pieces.whole());
  Reading cut;
  pieces.each([&](std::string_view piece) {
    cut.feed(std::string(piece));
    return true;
  });
  expect_same(whole.end(), cut.end(), "the events depend on where the bytes are cut");
  return 0;
}
