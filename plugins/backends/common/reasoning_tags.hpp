// SPDX-License-Identifier: Apache-2.0
// Thoughts that a server leaves between tags at the beginning of a text, told apart from the answer
// behind them. It reads what stands between the quotes of a JSON string, and what it gives are
// parts of that, byte for byte. White space around the thoughts is none of either. Where the text
// is cut into pieces makes no difference. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::dialect {

enum class ReasoningTags : std::uint8_t {
  kOff,
  kAuto,    // thoughts are what begins with a tag: <think>, [THINK], <seed:think> ...
  kOpened,  // the tag may be missing, as the prompt has it already; what ends them is there
};

inline constexpr std::size_t kHeldSpaceMaxBytes = 256;  // of what may yet turn out to be none

class TagSplitter {
 public:
  struct Parts {
    std::string reasoning;
    std::string content;

    bool empty() const { return reasoning.empty() && content.empty(); }
    void add(const Parts& more) {
      reasoning += more.reasoning;
      content += more.content;
    }
  };

  explicit TagSplitter(ReasoningTags tags) : is_opened_(tags == ReasoningTags::kOpened) {}

  // All that follows is the answer.
  bool is_answering() const { return at_ == At::kAnswer; }
  bool is_thinking() const { return at_ == At::kThinking; }

  // `text` ends between two characters, not inside an escape. What is not certain yet is held back.
  Parts push(std::string_view text);
  // The text has ended, or the server tells thoughts apart itself: what was held back.
  Parts finish();

 private:
  enum class At : std::uint8_t { kStart, kThinking, kBehind, kAnswer };

  // One character: its JSON, and what it is where it is ASCII, else 0.
  struct Letter {
    std::string_view json;
    char is = 0;
  };

  static Letter take_letter(std::string_view text);
  void read(const Letter& letter, Parts& parts);
  void read_start(const Letter& letter, Parts& parts);
  void read_thought(const Letter& letter, Parts& parts);
  void begin_thinking(std::string_view close);
  void be_no_tag(Parts& parts);
  void tell_thought(Parts& parts);

  const bool is_opened_;
  At at_ = At::kStart;
  bool has_thought_ = false;  // some of it has been told
  std::string_view close_;    // of the tag that was opened
  std::string held_;          // JSON: white space, and the beginning of a tag
  std::string tag_;           // that beginning
};

}  // namespace backplane::dialect
