// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/progress.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>

namespace backplane::local {
namespace {

constexpr auto kTerminalPeriod = std::chrono::milliseconds(200);
constexpr auto kLinesPeriod = std::chrono::seconds(5);

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string duration_text(std::uint64_t seconds) {
  std::array<char, 48> text{};
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  if (seconds >= 3600) {
    std::snprintf(text.data(), text.size(), "%llu h %02llu min", number(seconds / 3600),
                  number(seconds / 60 % 60));
  } else if (seconds >= 60) {
    std::snprintf(text.data(), text.size(), "%llu min %02llu s", number(seconds / 60),
                  number(seconds % 60));
  } else {
    std::snprintf(text.data(), text.size(), "%llu s", number(seconds));
  }
  return text.data();
}

Progress::Style Progress::style_of_stderr(bool is_quiet) {
  if (is_quiet) return Style::kQuiet;
  return isatty(STDERR_FILENO) != 0 ? Style::kTerminal : Style::kLines;
}

void Progress::begin(const std::string& what, std::uint64_t done, std::uint64_t total, Unit unit) {
  end();
  what_ = what;
  unit_ = unit;
  before_ = done_ = done;
  total_ = total;
  begin_ = Clock::now();
  show(begin_);
}

void Progress::add(std::uint64_t amount) {
  done_ += amount;
  const auto now = Clock::now();
  const auto period =
      style_ == Style::kTerminal ? Clock::duration(kTerminalPeriod) : Clock::duration(kLinesPeriod);
  if (now - shown_ >= period) show(now);
}

void Progress::take_back(std::uint64_t amount) {
  done_ -= amount;
  before_ = before_ < amount ? 0 : before_ - amount;
}

std::string Progress::amount_text(std::uint64_t amount) const {
  return unit_ == Unit::kBytes ? bytes_text(amount) : std::to_string(amount);
}

std::string Progress::line(Clock::time_point now) const {
  std::string text = what_ + "  " + amount_text(done_) + " of " + amount_text(total_);
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  if (seconds < 0.5 || done_ <= before_) return text;
  const double rate = static_cast<double>(done_ - before_) / seconds;
  if (unit_ == Unit::kBytes) text += "  " + bytes_text(static_cast<std::uint64_t>(rate)) + "/s";
  if (done_ >= total_) return text;
  const double left_s = static_cast<double>(total_ - done_) / rate;
  return text + "  " + duration_text(static_cast<std::uint64_t>(left_s) + 1) + " left";
}

void Progress::show(Clock::time_point now) {
  shown_ = now;
  if (style_ == Style::kQuiet) return;
  if (style_ == Style::kTerminal) {
    std::cerr << "\r\x1b[K" << line(now) << std::flush;
    is_open_ = true;
  } else {
    std::cerr << line(now) << std::endl;
  }
}

void Progress::end() {
  if (is_open_) {
    show(Clock::now());
    std::cerr << std::endl;
  }
  is_open_ = false;
}

void Progress::say(const std::string& text) {
  end();
  if (style_ != Style::kQuiet) std::cerr << text << std::endl;
}

}  // namespace backplane::local
