// SPDX-License-Identifier: Apache-2.0
// Structured log lines to standard error: one line an event, as text or as JSON. [any-thread]
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spdlog {
class logger;
}

namespace backplane {

// kOff is above what any line has.
enum class LogLevel : std::uint32_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat { kText, kJson };

using LogField = std::pair<std::string_view, std::string_view>;

class Logger {
 public:
  Logger(LogLevel level, LogFormat format);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  bool enabled(LogLevel level) const { return level >= this->level(); }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  // `component` is who speaks, e.g. "runtime" or an instance's name. Control characters are escaped
  // and lines are cut at 8 KiB, so that what comes from outside cannot forge a line.
  void write(LogLevel level, std::string_view component, std::string_view message,
             const std::vector<LogField>& fields = {});

 private:
  std::atomic<LogLevel> level_;
  const LogFormat format_;
  std::unique_ptr<spdlog::logger> sink_;
};

// `text` as the inside of a JSON string.
std::string json_escaped(std::string_view text);

}  // namespace backplane
