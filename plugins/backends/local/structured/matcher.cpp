// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/matcher.hpp"

#include <algorithm>
#include <optional>

namespace backplane::local {
namespace {

// 0: none yet, 1: a space, 2 and more: a line break and what is behind it.
std::optional<std::uint32_t> next_space(std::uint32_t space, std::uint8_t byte) {
  if (space == 0 && byte == ' ') return 1;
  if (space == 0 && byte == '\n') return 2;
  const bool indents = space >= 2 && space < 2 + kIndentationMax;
  if (indents && (byte == ' ' || byte == '\t')) return space + 1;
  return std::nullopt;
}

bool is_bounded(const ObjectNode& node) {
  return node.min > 0 || node.max != kRepeatUnbounded;
}

// Counts that no bound depends on any more are one.
std::uint32_t count_up(std::uint32_t count, std::uint32_t enough, std::uint32_t max) {
  if (max == kRepeatUnbounded && count >= enough) return count;
  return count + 1;
}

}  // namespace

Matcher::Matcher(GrammarPointer grammar) : grammar_(std::move(grammar)) {
  intern_names({});
  push(grammar_->root(), kComplete, threads_);
}

bool Matcher::is_complete() const {
  return std::find(threads_.begin(), threads_.end(), kComplete) != threads_.end();
}

bool Matcher::accept(std::uint8_t byte) {
  next_.clear();
  for (const FrameId thread : threads_) step(thread, byte, next_);
  if (next_.empty()) return false;
  std::swap(threads_, next_);
  return true;
}

void Matcher::add(FrameId thread, Threads& out) const {
  if (out.size() >= kThreadsMax) return;
  if (std::find(out.begin(), out.end(), thread) == out.end()) out.push_back(thread);
}

void Matcher::push(NodeId id, FrameId parent, Threads& out) {
  const Node& node = grammar_->node(id);
  const Frame frame{parent, id, kBegin, 0, 0};
  if (const auto* text = std::get_if<TextNode>(&node)) {
    const DfaState start = text->dfa->start();
    if (text->dfa->accepts(start)) complete(parent, out);
    if (!text->dfa->is_final(start)) add({parent, id, kBegin, start, 0}, out);
  } else if (const auto* sequence = std::get_if<SequenceNode>(&node)) {
    advance(*sequence, frame, out);
  } else if (const auto* options = std::get_if<ChoiceNode>(&node)) {
    for (const NodeId option : options->options) push(option, parent, out);
  } else if (const auto* repeated = std::get_if<RepeatNode>(&node)) {
    iterate(*repeated, frame, out);
  } else if (const auto* free = std::get_if<FreeTextNode>(&node)) {
    if (free->may_end) complete(parent, out);
    add({parent, id, kBegin, free->dfa->start(), 0}, out);
  } else {
    add(frame, out);
  }
}

void Matcher::advance(const SequenceNode& node, Frame frame, Threads& out) {
  const std::size_t index = frame.state;
  if (index == node.parts.size()) return complete(frame.parent, out);
  const NodeId part = node.parts[index];
  if (index + 1 == node.parts.size()) return push(part, frame.parent, out);
  ++frame.state;
  push(part, frames_.intern(frame), out);
}

void Matcher::iterate(const RepeatNode& node, Frame frame, Threads& out) {
  if (frame.state >= node.min) complete(frame.parent, out);
  if (frame.state >= node.max) return;
  frame.state = count_up(frame.state, node.min, node.max);
  push(node.part, frames_.intern(frame), out);
}

void Matcher::complete(FrameId id, Threads& out) {
  if (id == kComplete) return add(kComplete, out);
  Frame frame = frames_[id];
  const Node& node = grammar_->node(frame.node);
  if (const auto* sequence = std::get_if<SequenceNode>(&node)) {
    advance(*sequence, frame, out);
  } else if (const auto* repeated = std::get_if<RepeatNode>(&node)) {
    iterate(*repeated, frame, out);
  } else {
    frame.phase = kAfter;
    add(frame, out);
  }
}

void Matcher::step(FrameId thread, std::uint8_t byte, Threads& out) {
  if (thread == kComplete) return;
  const Frame frame = frames_[thread];
  const Node& node = grammar_->node(frame.node);
  if (const auto* text = std::get_if<TextNode>(&node)) {
    step_text(*text, frame, byte, out);
  } else if (const auto* free = std::get_if<FreeTextNode>(&node)) {
    step_free_text(*free, frame, byte, out);
  } else if (phase_of(frame) == kBegin) {
    begin(frame.node, byte, frame.parent, out);
  } else if (const auto* string = std::get_if<StringNode>(&node)) {
    step_string(*string, frame, byte, out);
  } else if (const auto* array = std::get_if<ArrayNode>(&node)) {
    step_array(*array, frame, byte, out);
  } else if (const auto* object = std::get_if<ObjectNode>(&node)) {
    step_object(*object, frame, byte, out);
  }
}

void Matcher::begin(NodeId id, std::uint8_t byte, FrameId parent, Threads& out) {
  const Node& node = grammar_->node(id);
  Frame frame{parent, id, kOpen, 0, 0};
  if (const auto* value = std::get_if<ValueNode>(&node)) {
    for (const NodeId option : value->options) begin(option, byte, parent, out);
  } else if (const auto* text = std::get_if<TextNode>(&node)) {
    frame.phase = kBegin;
    frame.state = text->dfa->start();
    step_text(*text, frame, byte, out);
  } else if (const auto* string = std::get_if<StringNode>(&node)) {
    frame.phase = kInside;
    frame.state = string->dfa->start();
    if (byte == '"') add(frame, out);
  } else if (std::holds_alternative<ArrayNode>(node)) {
    if (byte == '[') add(frame, out);
  } else if (const auto* object = std::get_if<ObjectNode>(&node)) {
    if (byte != '{') return;
    frame.state = intern_names(std::vector<std::uint64_t>(object->words(), 0));
    add(frame, out);
  }
}

void Matcher::step_text(const TextNode& node, Frame frame, std::uint8_t byte, Threads& out) {
  frame.state = node.dfa->next(frame.state, byte);
  if (frame.state == Dfa::kDead) return;
  if (!node.dfa->is_final(frame.state)) add(frame, out);
  if (node.dfa->accepts(frame.state)) complete(frame.parent, out);
}

void Matcher::step_free_text(const FreeTextNode& node, Frame frame, std::uint8_t byte,
                             Threads& out) {
  if (!node.dfa->is_empty()) frame.state = node.dfa->next(frame.state, byte);
  const std::uint32_t label = node.dfa->label(frame.state);
  if (label != Dfa::kNoLabel) return push(node.then[label], frame.parent, out);
  add(frame, out);
  if (node.may_end) complete(frame.parent, out);
}

void Matcher::step_string(const StringNode& node, Frame frame, std::uint8_t byte, Threads& out) {
  const StringState from{frame.state, frame.phase >> kPhaseBits, frame.count};
  if (byte == '"' && from.escape == 0) {
    if (node.dfa->accepts(from.state) && from.count >= node.min) complete(frame.parent, out);
    return;
  }
  const auto alive = [&node](DfaState state, std::uint32_t count) {
    return has_room(node, state, count);
  };
  const auto to = JsonString(*node.dfa, alive).step(from, byte);
  if (!to) return;
  frame.state = to->state;
  frame.phase = kInside | to->escape << kPhaseBits;
  frame.count = node.max == kRepeatUnbounded ? std::min(to->count, node.min) : to->count;
  add(frame, out);
}

bool Matcher::step_space(Frame frame, std::uint8_t byte, Threads& out) {
  const auto space = next_space(space_of(frame), byte);
  if (!space) return false;
  frame.phase = (frame.phase & ~(kSpaceMask << kPhaseBits)) | *space << kPhaseBits;
  add(frame, out);
  return true;
}

bool Matcher::may_close(const ArrayNode& node, const Frame& frame) const {
  return frame.state >= node.min;
}

bool Matcher::may_go_on(const ArrayNode& node, const Frame& frame) const {
  return frame.state < node.max;
}

void Matcher::step_array(const ArrayNode& node, Frame frame, std::uint8_t byte, Threads& out) {
  const Phase phase = phase_of(frame);
  const bool may_end = phase != kComma && may_close(node, frame);
  const bool may_space =
      phase == kAfter ? may_end : phase == kComma || may_end || may_go_on(node, frame);
  if (may_space && step_space(frame, byte, out)) return;
  if (byte == ']' && may_end) return complete(frame.parent, out);
  if (!may_go_on(node, frame)) return;
  if (phase == kAfter) {
    if (byte != ',' || space_of(frame) != 0) return;
    frame.phase = kComma;
    return add(frame, out);
  }
  const NodeId item = node.item(frame.state);
  const auto enough = std::max(node.min, static_cast<std::uint32_t>(node.first.size()));
  frame.state = count_up(frame.state, enough, node.max);
  frame.phase = kInside;
  // Most bytes begin no item; those that do not leave a frame behind that nobody stands on.
  begin(item, byte, frames_.intern(frame), out);
}

bool Matcher::may_close(const ObjectNode& node, const Frame& frame) const {
  if (frame.count < node.min) return false;
  const auto& seen = *name_sets_by_number_[frame.state];
  for (std::size_t word = 0; word < node.words(); ++word) {
    if ((node.required[word] & ~seen[word]) != 0) return false;
  }
  return true;
}

// As many names are missing as there is room for.
bool Matcher::only_required(const ObjectNode& node, const Frame& frame) const {
  if (node.max == kRepeatUnbounded) return false;
  const auto& seen = *name_sets_by_number_[frame.state];
  std::uint32_t missing = 0;
  for (std::size_t word = 0; word < node.words(); ++word) {
    missing += static_cast<std::uint32_t>(__builtin_popcountll(node.required[word] & ~seen[word]));
  }
  return frame.count + missing >= node.max;
}

bool Matcher::is_alive(const ObjectNode& node, const Frame& frame, DfaState state) const {
  const bool strict = only_required(node, frame);
  if (!strict && node.reaches_open[state]) return true;
  const auto& seen = *name_sets_by_number_[frame.state];
  for (std::size_t word = 0; word < node.words(); ++word) {
    const std::uint64_t wanted = strict ? node.required[word] : ~std::uint64_t{0};
    if ((node.reach[state * node.words() + word] & wanted & ~seen[word]) != 0) return true;
  }
  return false;
}

bool Matcher::is_free(const ObjectNode& node, const Frame& frame, std::uint32_t label) const {
  if (label == Dfa::kNoLabel || node.values[label] == kNoNode) return false;
  const bool strict = only_required(node, frame);
  if (!node.is_declared(label)) return !strict;
  const std::uint64_t bit = std::uint64_t{1} << (label % 64);
  if (strict && (node.required[label / 64] & bit) == 0) return false;
  return ((*name_sets_by_number_[frame.state])[label / 64] & bit) == 0;
}

void Matcher::step_object(const ObjectNode& node, Frame frame, std::uint8_t byte, Threads& out) {
  const Phase phase = phase_of(frame);
  if (phase == kName) return step_name(node, frame, byte, out);
  if (phase == kColon) {
    frame.phase = kValue | label_of(frame) << 16;
    if (byte == ':') add(frame, out);
    return;
  }
  if (phase == kValue) {
    if (step_space(frame, byte, out)) return;
    const NodeId value = node.values[label_of(frame)];
    frame.phase = kInside;
    return begin(value, byte, frames_.intern(frame), out);
  }
  const bool may_end = phase != kComma && may_close(node, frame);
  if ((phase != kAfter || may_end) && step_space(frame, byte, out)) return;
  if (byte == '}' && may_end) return complete(frame.parent, out);
  if (byte == ',' && phase == kAfter && space_of(frame) == 0 &&
      is_alive(node, frame, node.names->start())) {
    frame.phase = kComma;
    return add(frame, out);
  }
  if (byte == '"' && phase != kAfter) begin_name(node, frame, out);
}

void Matcher::begin_name(const ObjectNode& node, Frame frame, Threads& out) {
  const DfaState start = node.names->start();
  if (!is_alive(node, frame, start)) return;
  frame.phase = kInside;
  const FrameId parent = frames_.intern(frame);
  add({parent, frame.node, kName, start, 0}, out);
}

void Matcher::step_name(const ObjectNode& node, Frame frame, std::uint8_t byte, Threads& out) {
  const StringState from{frame.state, frame.phase >> kPhaseBits, 0};
  if (byte == '"' && from.escape == 0) return end_name(node, frame, out);
  const Frame& object = frames_[frame.parent];
  const auto alive = [&](DfaState state, std::uint32_t) { return is_alive(node, object, state); };
  const auto to = JsonString(*node.names, alive).step(from, byte);
  if (!to) return;
  frame.state = to->state;
  frame.phase = kName | to->escape << kPhaseBits;
  add(frame, out);
}

void Matcher::end_name(const ObjectNode& node, const Frame& frame, Threads& out) {
  Frame object = frames_[frame.parent];
  const std::uint32_t label = node.names->label(frame.state);
  if (!is_free(node, object, label)) return;
  if (node.is_declared(label)) {
    std::vector<std::uint64_t> seen = *name_sets_by_number_[object.state];
    seen[label / 64] |= std::uint64_t{1} << (label % 64);
    object.state = intern_names(std::move(seen));
  }
  if (is_bounded(node)) object.count = count_up(object.count, node.min, node.max);
  object.phase = kColon | label << 16;
  add(object, out);
}

std::uint32_t Matcher::intern_names(std::vector<std::uint64_t> names) {
  const auto fresh = static_cast<std::uint32_t>(name_sets_by_number_.size());
  const auto [entry, is_new] = name_sets_.try_emplace(std::move(names), fresh);
  if (is_new) name_sets_by_number_.push_back(&entry->first);
  return entry->second;
}

Matcher::StringPlace Matcher::string_place(FrameId thread) const {
  const Frame& frame = frames_[thread];
  const Node& node = grammar_->node(frame.node);
  const StringState state{frame.state, frame.phase >> kPhaseBits, frame.count};
  const auto* string = std::get_if<StringNode>(&node);
  if (string != nullptr && phase_of(frame) == kInside) {
    return {string->dfa.get(), state, string->min, string->max};
  }
  const auto* object = std::get_if<ObjectNode>(&node);
  if (object != nullptr && phase_of(frame) == kName) return {object->names.get(), state};
  return {};
}

FrameId Matcher::at_string_state(FrameId thread, const StringState& state) {
  Frame frame = frames_[thread];
  frame.state = state.state;
  frame.phase = (frame.phase & kPhaseMask) | state.escape << kPhaseBits;
  frame.count = phase_of(frame) == kName ? 0 : state.count;
  return frames_.intern(frame);
}

const Dfa* Matcher::free_text(FrameId thread) const {
  const auto* node = std::get_if<FreeTextNode>(&grammar_->node(frames_[thread].node));
  return node == nullptr ? nullptr : node->dfa.get();
}

FrameId Matcher::at_free_text_state(FrameId thread, DfaState state) {
  Frame frame = frames_[thread];
  frame.state = state;
  return frames_.intern(frame);
}

void Matcher::compact() {
  FrameTable kept;
  std::vector<FrameId> moved(frames_.size(), 0);
  std::vector<FrameId> chain;
  for (FrameId& thread : threads_) {
    for (FrameId id = thread; id != kComplete && moved[id] == 0; id = frames_[id].parent) {
      chain.push_back(id);
    }
    for (; !chain.empty(); chain.pop_back()) {
      Frame frame = frames_[chain.back()];
      frame.parent = moved[frame.parent];
      moved[chain.back()] = kept.intern(frame);
    }
    thread = moved[thread];
  }
  frames_ = std::move(kept);
}

}  // namespace backplane::local
