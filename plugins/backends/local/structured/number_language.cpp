// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/number_language.hpp"

#include <algorithm>
#include <charconv>

#include "plugins/backends/local/structured/grammar.hpp"
#include "plugins/backends/local/structured/regex.hpp"

namespace backplane::local {
namespace {

using State = DfaSource::State;

enum Phase : std::uint32_t { kBegin, kSign, kWhole, kFraction };
enum Order : std::uint32_t { kLess, kEqual, kGreater };

std::array<std::uint8_t, 256> number_classes() {
  std::vector<bool> cuts(257, false);
  for (std::size_t byte = '-'; byte <= ':'; ++byte) cuts[byte] = true;
  return byte_classes(cuts);
}

bool is_digit(std::uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

Order compare(std::uint8_t digit, char other) {
  const auto theirs = static_cast<std::uint8_t>(other);
  return digit < theirs ? kLess : digit > theirs ? kGreater : kEqual;
}

// Compares the magnitude of what is read with a decimal's. State: phase, sign, digits before the
// point (one more than the decimal's for all that are longer), order so far, digits behind it.
class Comparison {
 public:
  explicit Comparison(Decimal other) : other_(std::move(other)) {
    if (other_.whole.empty()) other_.whole = "0";
  }

  State step(const State& state, std::uint8_t byte) const {
    if (byte == '-') return state[0] == kBegin ? State{kSign, 1, 0, kEqual, 0} : State{};
    if (byte == '.') return state[0] == kWhole ? begin_fraction(state) : State{};
    if (!is_digit(byte)) return {};
    return state[0] == kFraction ? step_fraction(state, byte) : step_whole(state, byte);
  }
  Order order(const State& state) const {
    if (state[0] == kWhole) return order(begin_fraction(state));
    const bool is_short = state[3] == kEqual && state[4] < other_.fraction.size();
    return is_short ? kLess : static_cast<Order>(state[3]);
  }
  static bool is_whole_number(const State& state) { return state[0] >= kWhole; }

 private:
  State step_whole(const State& state, std::uint8_t digit) const {
    const std::uint32_t count = state[2];
    if (count >= other_.whole.size()) return {kWhole, state[1], size() + 1, kGreater, 0};
    const std::uint32_t order = state[3] == kEqual ? compare(digit, other_.whole[count]) : state[3];
    return {kWhole, state[1], count + 1, order, 0};
  }
  State begin_fraction(const State& state) const {
    const std::uint32_t order = state[2] < size() ? kLess : state[3];
    return {kFraction, state[1], 0, order, 0};
  }
  State step_fraction(const State& state, std::uint8_t digit) const {
    if (state[3] != kEqual) return state;
    const std::uint32_t place = state[4];
    const bool is_past = place >= other_.fraction.size();
    const Order order = compare(digit, is_past ? '0' : other_.fraction[place]);
    return {kFraction, state[1], 0, order, order != kEqual ? 0 : is_past ? place : place + 1};
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(other_.whole.size()); }

  Decimal other_;
};

bool is_within(const NumberBound& bound, bool negative, Order magnitude, bool other_is_zero) {
  // Both zeros are equal, whatever their sign.
  Order order = magnitude;
  if (other_is_zero) {
    if (magnitude == kGreater) order = negative ? kLess : kGreater;
  } else if (negative != bound.value.negative) {
    order = negative ? kLess : kGreater;
  } else if (negative && order != kEqual) {
    order = order == kLess ? kGreater : kLess;
  }
  if (order == kEqual) return !bound.is_exclusive;
  return bound.is_lower == (order == kGreater);
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  if (text.starts_with('-')) decimal.negative = true, text.remove_prefix(1);
  long exponent = 0;
  const std::size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    std::string_view tail = text.substr(mark + 1);
    if (tail.starts_with('+')) tail.remove_prefix(1);
    const auto parsed = std::from_chars(tail.data(), tail.data() + tail.size(), exponent);
    if (parsed.ec != std::errc()) return std::nullopt;
    text = text.substr(0, mark);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  if (point < text.size()) digits += text.substr(point + 1);
  const long split = static_cast<long>(point) + exponent;
  constexpr long kDigits = 400;
  if (split > kDigits || split < -kDigits) return std::nullopt;
  if (split < 0) digits.insert(0, static_cast<std::size_t>(-split), '0');
  const auto whole_size = static_cast<std::size_t>(std::max(split, 0l));
  if (digits.size() < whole_size) digits.resize(whole_size, '0');
  decimal.whole = digits.substr(0, whole_size);
  decimal.fraction = digits.substr(whole_size);
  decimal.whole.erase(0, decimal.whole.find_first_not_of('0'));
  decimal.fraction.erase(decimal.fraction.find_last_not_of('0') + 1);
  if (decimal.is_zero()) decimal.negative = false;
  return decimal;
}

DfaPointer dfa_of_numbers(bool integers, bool exponent) {
  static const std::string more = "{0," + std::to_string(kNumberDigitsMax - 1) + "}";
  static const std::string plain = "-?(0|[1-9][0-9]" + more + ")(\\.[0-9][0-9]" + more + ")?";
  static const DfaPointer whole = *dfa_of_match("0|-?[1-9][0-9]" + more);
  static const DfaPointer points = *dfa_of_match(plain);
  static const DfaPointer all = *dfa_of_match(plain + "([eE][+-]?([0-9]{1,2}|[0-2][0-9]{2}))?");
  return integers ? whole : exponent ? all : points;
}

Result<DfaPointer> dfa_of_bound(const NumberBound& bound) {
  const Comparison comparison(bound.value);
  return build_dfa(
      {number_classes(),
       {kBegin, 0, 0, kEqual, 0},
       [&](const State& state, std::uint8_t byte) { return comparison.step(state, byte); },
       [&](const State& state) {
         if (!Comparison::is_whole_number(state)) return Dfa::kNoLabel;
         const bool within =
             is_within(bound, state[1] != 0, comparison.order(state), bound.value.is_zero());
         return within ? 0 : Dfa::kNoLabel;
       }});
}

// What is read, times a power of ten that makes the divisor whole, has to leave no remainder.
// State: phase, remainder, digits behind the point.
Result<DfaPointer> dfa_of_multiples(const Decimal& divisor) {
  const std::string digits = divisor.whole + divisor.fraction;
  std::uint64_t modulus = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), modulus);
  if (parsed.ec != std::errc() || modulus > kAutomatonStatesMax) {
    return invalid_argument("takes more than " + std::to_string(kAutomatonStatesMax) + " states");
  }
  const auto places = static_cast<std::uint32_t>(divisor.fraction.size());
  const auto shift = [modulus](std::uint64_t value, std::uint64_t digit) {
    return static_cast<std::uint32_t>((value * 10 + digit) % modulus);
  };
  return build_dfa({number_classes(),
                    {kBegin, 0, 0},
                    [&](const State& state, std::uint8_t byte) -> State {
                      if (byte == '-') return state[0] == kBegin ? State{kSign, 0, 0} : State{};
                      if (byte == '.')
                        return state[0] == kWhole ? State{kFraction, state[1], 0} : State{};
                      if (!is_digit(byte)) return {};
                      const std::uint64_t digit = byte - std::uint64_t{'0'};
                      if (state[0] != kFraction) return {kWhole, shift(state[1], digit), 0};
                      if (state[2] == places) return digit == 0 ? state : State{};
                      return {kFraction, shift(state[1], digit), state[2] + 1};
                    },
                    [&](const State& state) {
                      if (state[0] < kWhole) return Dfa::kNoLabel;
                      std::uint32_t rest = state[1];
                      for (std::uint32_t place = state[2]; place < places; ++place)
                        rest = shift(rest, 0);
                      return rest == 0 ? 0 : Dfa::kNoLabel;
                    }});
}

}  // namespace backplane::local
