// SPDX-License-Identifier: Apache-2.0
// The inside of a JSON string, byte by byte: escapes and surrogate pairs on top of an automaton
// over the characters that they stand for. Where the automaton still accepts every text any escape
// will do; elsewhere only what needs one (or "/") has one, so that there is one way to write a
// letter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "plugins/backends/local/structured/dfa.hpp"

namespace backplane::local {

struct StringState {
  DfaState state = Dfa::kDead;
  std::uint32_t escape = 0;  // 0 between characters and inside of UTF-8 ones
  std::uint32_t count = 0;   // characters that have begun
};

// A state after which nothing may follow is left out by `alive`, which is asked for every state
// with the characters counted so far.
template <class Alive>
class JsonString {
 public:
  JsonString(const Dfa& dfa, Alive alive) : dfa_(dfa), alive_(alive) {}

  bool is_alive(DfaState state, std::uint32_t count) const { return alive_(state, count); }
  // The state after a byte that is not the closing quote.
  std::optional<StringState> step(const StringState& from, std::uint8_t byte) const {
    if (from.escape != 0) return step_escape(from, byte);
    if (byte == '\\') return begin_escape(from);
    if (byte < 0x20 || byte == '"') return std::nullopt;
    const bool begins = (byte & 0xc0) != 0x80;
    return admit(dfa_.next(from.state, byte), 0, from.count + (begins ? 1 : 0));
  }

 private:
  // Steps of an escape, in the low bits; above them the digits read, and half a surrogate pair.
  enum Step : std::uint32_t { kNone, kLetter, kDigits, kPairSlash, kPairLetter, kPairDigits };
  static constexpr std::uint32_t pack(Step step, std::uint32_t count, std::uint32_t digits,
                                      std::uint32_t high) {
    return step | count << 3 | digits << 5 | high << 17;
  }

  std::optional<StringState> admit(DfaState state, std::uint32_t escape,
                                   std::uint32_t count) const {
    if (state == Dfa::kDead || !alive_(state, count)) return std::nullopt;
    return StringState{state, escape, count};
  }

  std::optional<StringState> begin_escape(const StringState& from) const {
    const std::uint32_t count = from.count + 1;
    static constexpr std::uint8_t kShort[] = {'"', '\\', '/', '\b', '\f', '\n', '\r', '\t'};
    bool any = exists(from.state, count, 0, 0xffff, 0);
    for (const std::uint8_t byte : kShort) {
      any = any || admit(dfa_.next(from.state, byte), 0, count).has_value();
    }
    if (!any) return std::nullopt;
    return StringState{from.state, pack(kLetter, 0, 0, 0), count};
  }

  std::optional<StringState> step_escape(const StringState& from, std::uint8_t byte) const {
    const auto step = static_cast<Step>(from.escape & 7);
    const std::uint32_t high = from.escape >> 17;
    switch (step) {
      case kLetter:
        return step_letter(from, byte);
      case kPairSlash:
        if (byte != '\\') return std::nullopt;
        return StringState{from.state, pack(kPairLetter, 0, 0, high), from.count};
      case kPairLetter:
        if (byte != 'u') return std::nullopt;
        return StringState{from.state, pack(kPairDigits, 0, 0, high), from.count};
      default:
        return step_digit(from, byte, step == kPairDigits);
    }
  }

  std::optional<StringState> step_letter(const StringState& from, std::uint8_t byte) const {
    switch (byte) {
      case '"':
      case '\\':
      case '/':
        return admit(dfa_.next(from.state, byte), 0, from.count);
      case 'b':
        return admit(dfa_.next(from.state, '\b'), 0, from.count);
      case 'f':
        return admit(dfa_.next(from.state, '\f'), 0, from.count);
      case 'n':
        return admit(dfa_.next(from.state, '\n'), 0, from.count);
      case 'r':
        return admit(dfa_.next(from.state, '\r'), 0, from.count);
      case 't':
        return admit(dfa_.next(from.state, '\t'), 0, from.count);
      case 'u':
        if (!exists(from.state, from.count, 0, 0xffff, 0)) return std::nullopt;
        return StringState{from.state, pack(kDigits, 0, 0, 0), from.count};
      default:
        return std::nullopt;
    }
  }

  static std::optional<std::uint32_t> digit_of(std::uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - std::uint32_t{'0'};
    const auto letter = static_cast<std::uint8_t>(byte | 0x20);
    if (letter >= 'a' && letter <= 'f') return letter - std::uint32_t{'a'} + 10;
    return std::nullopt;
  }

  std::optional<StringState> step_digit(const StringState& from, std::uint8_t byte,
                                        bool is_pair) const {
    const auto digit = digit_of(byte);
    if (!digit) return std::nullopt;
    const std::uint32_t count = (from.escape >> 3 & 3) + 1;
    const std::uint32_t digits = (from.escape >> 5 & 0xfff) << 4 | *digit;
    const std::uint32_t high = from.escape >> 17;
    const std::uint32_t open = 4 * (4 - count);
    const std::uint32_t low = digits << open, last = low | ((1u << open) - 1);
    if (!exists(from.state, from.count, low, last, is_pair ? high | kPairBit : 0)) {
      return std::nullopt;
    }
    if (count < 4) {
      const Step step = is_pair ? kPairDigits : kDigits;
      return StringState{from.state, pack(step, count, digits, high), from.count};
    }
    if (!is_pair && (digits & 0xfc00) == 0xd800) {
      return StringState{from.state, pack(kPairSlash, 0, 0, digits & 0x3ff), from.count};
    }
    const std::uint32_t code = is_pair ? 0x10000 + (high << 10) + (digits & 0x3ff) : digits;
    return admit(run(from.state, code), 0, from.count);
  }

  static constexpr std::uint32_t kPairBit = 0x400;

  // Some character that an escape of these 16-bit units stands for may come next.
  bool exists(DfaState state, std::uint32_t count, std::uint32_t low, std::uint32_t high,
              std::uint32_t pair) const {
    if (pair != 0) {
      const std::uint32_t base = 0x10000 + ((pair & 0x3ff) << 10);
      low = std::max(low, 0xdc00u), high = std::min(high, 0xdfffu);
      return low <= high && reaches(state, count, base + (low & 0x3ff), base + (high & 0x3ff));
    }
    // Printable ASCII has no need of it, but where anything goes.
    const std::uint32_t plain_end = dfa_.is_free(state) ? 0 : 0x7f;
    if (low < 0x20 && reaches(state, count, low, std::min(high, 0x1fu))) return true;
    if (reaches(state, count, std::max({low, 0x20u, plain_end}), std::min(high, 0xd7ffu))) {
      return true;
    }
    const std::uint32_t first = std::max(low, 0xd800u), last = std::min(high, 0xdbffu);
    if (first <= last && reaches(state, count, 0x10000 + ((first & 0x3ff) << 10),
                                 0x103ff + ((last & 0x3ff) << 10))) {
      return true;
    }
    return reaches(state, count, std::max(low, 0xe000u), high);
  }

  bool reaches(DfaState state, std::uint32_t count, std::uint32_t low, std::uint32_t high) const {
    if (low > high) return false;
    if (dfa_.is_free(state)) return alive_(state, count);
    struct Size {
      std::uint32_t first, last, bits;
      std::uint8_t lead;
    };
    static constexpr Size kSizes[] = {{0, 0x7f, 0, 0},
                                      {0x80, 0x7ff, 6, 0xc0},
                                      {0x800, 0xffff, 12, 0xe0},
                                      {0x10000, 0x10ffff, 18, 0xf0}};
    for (const Size& size : kSizes) {
      const std::uint32_t from = std::max(low, size.first), to = std::min(high, size.last);
      if (from <= to && descend(state, count, from, to, size.bits, size.lead)) return true;
    }
    return false;
  }

  // `bits` are those of the bytes behind this one; from and to share those before it.
  bool descend(DfaState state, std::uint32_t count, std::uint32_t from, std::uint32_t to,
               std::uint32_t bits, std::uint8_t mark) const {
    for (std::uint32_t head = from >> bits; head <= to >> bits; ++head) {
      const auto byte = static_cast<std::uint8_t>(mark | (mark == 0x80 ? head & 0x3f : head));
      const DfaState next = dfa_.next(state, byte);
      if (next == Dfa::kDead || !alive_(next, count)) continue;
      if (bits == 0) return true;
      const std::uint32_t first = std::max(from, head << bits);
      const std::uint32_t last = std::min(to, (head << bits) | ((1u << bits) - 1));
      if (descend(next, count, first, last, bits - 6, 0x80)) return true;
    }
    return false;
  }

  DfaState run(DfaState state, std::uint32_t code) const {
    if (code < 0x80) return dfa_.next(state, static_cast<std::uint8_t>(code));
    const std::uint32_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static constexpr std::uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
    state = dfa_.next(state, static_cast<std::uint8_t>(kLead[more] | code >> (6 * more)));
    for (std::uint32_t left = more; left-- > 0;) {
      state = dfa_.next(state, static_cast<std::uint8_t>(0x80 | (code >> (6 * left) & 0x3f)));
    }
    return state;
  }

  const Dfa& dfa_;
  Alive alive_;
};

}  // namespace backplane::local
