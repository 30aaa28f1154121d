// SPDX-License-Identifier: Apache-2.0
// A schema that anybody may send: it is compiled or refused, and what is compiled can be followed
// from any place to some end that is JSON. The input's last byte seeds the way.
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "plugins/backends/local/structured/matcher.hpp"
#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

using local::Matcher;

class Walk {
 public:
  Walk(const local::GrammarPointer& grammar, std::uint32_t seed) : matcher_(grammar), seed_(seed) {}

  // True when the text came to an end.
  bool run(std::size_t bytes_max) {
    while (text_.size() < bytes_max) {
      const std::vector<std::uint8_t> next = choices();
      if (matcher_.is_complete() && (next.empty() || random() % 4 == 0)) return true;
      expect(!next.empty(), "a place that nothing leads on from");
      const std::uint8_t byte = pick(next);
      expect(matcher_.accept(byte), "a byte that was offered is refused");
      text_ += static_cast<char>(byte);
    }
    return false;
  }
  const std::string& text() const { return text_; }

 private:
  std::uint32_t random() {
    seed_ = seed_ * 1664525 + 1013904223;
    return seed_ >> 8;
  }

  std::vector<std::uint8_t> choices() {
    std::vector<std::uint8_t> next;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      const std::size_t mark = matcher_.mark();
      local::Threads after;
      for (const local::FrameId thread : matcher_.threads()) {
        matcher_.step(thread, static_cast<std::uint8_t>(byte), after);
      }
      matcher_.release(mark);
      if (!after.empty()) next.push_back(static_cast<std::uint8_t>(byte));
    }
    return next;
  }

  std::uint8_t pick(const std::vector<std::uint8_t>& next) {
    const std::uint8_t byte = next[random() % next.size()];
    if (random() % 2 == 0) return byte;
    for (const std::uint8_t other : next) {
      if (other == '}' || other == ']' || other == '"') return other;
    }
    return byte;
  }

  Matcher matcher_;
  std::uint32_t seed_;
  std::string text_;
};

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  if (size == 0) return 0;
  const auto grammar = backplane::local::compile_json_schema(text_of(data, size - 1), {});
  if (!grammar) {
    expect(!grammar.error().message.empty(), "refused without a word");
    return 0;
  }
  Walk walk(*grammar, data[size - 1]);
  if (!walk.run(400)) return 0;
  boost::json::parse_options options;
  options.max_depth = 500;
  boost::system::error_code failure;
  boost::json::parse(walk.text(), failure, {}, options);
  expect(!failure, "an end that is no JSON: " + walk.text());
  return 0;
}
