// SPDX-License-Identifier: Apache-2.0
// Follows a text through a grammar, byte by byte. Where the text can still be several things it
// is on several threads at once; each is a stack of frames, and threads share what they have in
// common, so that equal threads have the same number. From each thread that is left some text can
// be completed. One thread of the process at a time.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "plugins/backends/local/structured/grammar_nodes.hpp"
#include "plugins/backends/local/structured/json_string.hpp"

namespace backplane::local {

using FrameId = std::uint32_t;
using Threads = std::vector<FrameId>;           // each once, in no order
inline constexpr FrameId kComplete = 0;         // the thread whose text is complete
inline constexpr std::size_t kThreadsMax = 64;  // those beyond are dropped
inline constexpr std::uint32_t kIndentationMax = 64;

// One node that is under way; what the numbers mean is its kind's affair.
struct Frame {
  FrameId parent = kComplete;
  NodeId node = 0;
  std::uint32_t phase = 0;
  std::uint32_t state = 0;
  std::uint32_t count = 0;
  bool operator==(const Frame&) const = default;
};

// Frames by number and numbers by frame.
class FrameTable {
 public:
  FrameTable();
  FrameId intern(const Frame& frame);
  const Frame& operator[](FrameId id) const { return frames_[id]; }
  std::size_t size() const { return frames_.size(); }
  // Forgets the frames from `size` on.
  void shrink(std::size_t size);

 private:
  std::size_t slot_of(const Frame& frame) const;
  void grow();
  std::vector<Frame> frames_;
  std::vector<FrameId> slots_;  // 0: empty
};

class Matcher {
 public:
  explicit Matcher(GrammarPointer grammar);

  const Threads& threads() const { return threads_; }
  // Takes a byte on all threads; false when none is left, and then nothing has changed.
  bool accept(std::uint8_t byte);
  // The threads after a byte on one of them.
  void step(FrameId thread, std::uint8_t byte, Threads& out);
  bool is_complete() const;

  const Frame& frame(FrameId id) const { return frames_[id]; }
  const Grammar& grammar() const { return *grammar_; }
  // Frames made since are forgotten; their numbers are made anew.
  std::size_t mark() const { return frames_.size(); }
  void release(std::size_t mark) { frames_.shrink(mark); }
  // Forgets all but what the threads stand on. Their numbers change.
  void compact();

  // A thread that is inside of a string, a value or a name.
  struct StringPlace {
    const Dfa* dfa = nullptr;  // nullptr: it is not
    StringState state;
    std::uint32_t min = 0, max = kRepeatUnbounded;  // characters
  };
  StringPlace string_place(FrameId thread) const;
  // The same thread in another state of its string.
  FrameId at_string_state(FrameId thread, const StringState& state);
  // Of a thread that is in free text; nullptr where it is not.
  const Dfa* free_text(FrameId thread) const;
  FrameId at_free_text_state(FrameId thread, DfaState state);
  // Calls `use` with the JsonString of that place.
  template <class Use>
  void with_string(FrameId thread, Use use) const;

 private:
  enum Phase : std::uint32_t { kBegin, kOpen, kInside, kAfter, kComma, kName, kColon, kValue };
  static constexpr std::uint32_t kPhaseBits = 4, kPhaseMask = 15, kSpaceMask = 0xfff;
  static Phase phase_of(const Frame& frame) { return static_cast<Phase>(frame.phase & kPhaseMask); }
  static std::uint32_t space_of(const Frame& frame) {
    return frame.phase >> kPhaseBits & kSpaceMask;
  }
  static std::uint32_t label_of(const Frame& frame) { return frame.phase >> 16; }

  void add(FrameId thread, Threads& out) const;
  void add(const Frame& frame, Threads& out) { add(frames_.intern(frame), out); }
  // Starts a node: without a byte, or with its first one.
  void push(NodeId node, FrameId parent, Threads& out);
  void begin(NodeId node, std::uint8_t byte, FrameId parent, Threads& out);
  void complete(FrameId parent, Threads& out);
  void advance(const SequenceNode& node, Frame frame, Threads& out);
  void iterate(const RepeatNode& node, Frame frame, Threads& out);

  void step_text(const TextNode& node, Frame frame, std::uint8_t byte, Threads& out);
  void step_free_text(const FreeTextNode& node, Frame frame, std::uint8_t byte, Threads& out);
  void step_string(const StringNode& node, Frame frame, std::uint8_t byte, Threads& out);
  void step_array(const ArrayNode& node, Frame frame, std::uint8_t byte, Threads& out);
  void step_object(const ObjectNode& node, Frame frame, std::uint8_t byte, Threads& out);
  void step_name(const ObjectNode& node, Frame frame, std::uint8_t byte, Threads& out);
  bool step_space(Frame frame, std::uint8_t byte, Threads& out);
  void begin_name(const ObjectNode& node, Frame frame, Threads& out);
  void end_name(const ObjectNode& node, const Frame& frame, Threads& out);

  static bool has_room(const StringNode& node, DfaState state, std::uint32_t count) {
    const std::uint32_t more = node.distance.empty() ? 0 : node.distance[state];
    return std::uint64_t{count} + more <= node.max;
  }
  bool may_close(const ArrayNode& node, const Frame& frame) const;
  bool may_close(const ObjectNode& node, const Frame& frame) const;
  bool may_go_on(const ArrayNode& node, const Frame& frame) const;
  // A name that leads on from a state of the names' automaton is still free.
  bool is_alive(const ObjectNode& node, const Frame& frame, DfaState state) const;
  bool is_free(const ObjectNode& node, const Frame& frame, std::uint32_t label) const;
  bool only_required(const ObjectNode& node, const Frame& frame) const;

  std::uint32_t intern_names(std::vector<std::uint64_t> names);

  GrammarPointer grammar_;
  FrameTable frames_;
  std::map<std::vector<std::uint64_t>, std::uint32_t> name_sets_;
  std::vector<const std::vector<std::uint64_t>*> name_sets_by_number_;
  Threads threads_, next_, one_;
};

template <class Use>
void Matcher::with_string(FrameId thread, Use use) const {
  const Frame& frame = frames_[thread];
  const Node& node = grammar_->node(frame.node);
  if (const auto* string = std::get_if<StringNode>(&node)) {
    use(JsonString(*string->dfa, [string](DfaState state, std::uint32_t count) {
      return has_room(*string, state, count);
    }));
  } else {
    const auto& object = std::get<ObjectNode>(node);
    const Frame parent = frames_[frame.parent];
    use(JsonString(*object.names, [this, &object, parent](DfaState state, std::uint32_t) {
      return is_alive(object, parent, state);
    }));
  }
}

}  // namespace backplane::local
