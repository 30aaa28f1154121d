// SPDX-License-Identifier: Apache-2.0
// How far a long work is, for people: one line that changes on a terminal, a line now and then
// elsewhere, nothing when quiet. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace backplane::local {

// "1.2 GiB".
std::string bytes_text(std::uint64_t bytes);
// "1 h 02 min", "3 min 05 s" or "7 s".
std::string duration_text(std::uint64_t seconds);

class Progress {
 public:
  enum class Style { kQuiet, kLines, kTerminal };
  enum class Unit { kBytes, kPieces };
  // kTerminal where standard error is one, else kLines.
  static Style style_of_stderr(bool is_quiet);

  explicit Progress(Style style) : style_(style) {}
  ~Progress() { end(); }

  // What follows is `what`, of `total` bytes or pieces, of which `done` are there.
  void begin(const std::string& what, std::uint64_t done, std::uint64_t total,
             Unit unit = Unit::kBytes);
  void add(std::uint64_t amount);
  void take_back(std::uint64_t amount);
  // Ends the line, if one is open.
  void end();
  // A line of its own.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  void show(Clock::time_point now);
  std::string line(Clock::time_point now) const;
  std::string amount_text(std::uint64_t amount) const;

  const Style style_;
  std::string what_;
  Unit unit_ = Unit::kBytes;
  std::uint64_t before_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  Clock::time_point begin_;
  Clock::time_point shown_;
  bool is_open_ = false;
};

}  // namespace backplane::local
