// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/logger.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace backplane {
namespace {

constexpr std::size_t kLineBytesMax = 8192;

constexpr const char* name_of(LogLevel level) {
  constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
  return kNames[static_cast<std::uint32_t>(level) & 3U];
}

std::string json_line(LogLevel level, std::string_view component, std::string_view message,
                      const std::vector<LogField>& fields) {
  std::string line = "\"level\":\"" + std::string(name_of(level)) + "\",\"component\":\"" +
                     json_escaped(component) + "\",\"message\":\"" + json_escaped(message) + '"';
  for (const auto& [name, value] : fields) {
    line += ",\"" + json_escaped(name) + "\":\"" + json_escaped(value) + '"';
  }
  return line;
}

std::string text_line(LogLevel level, std::string_view component, std::string_view message,
                      const std::vector<LogField>& fields) {
  std::string line =
      std::string(name_of(level)) + ' ' + json_escaped(component) + ": " + json_escaped(message);
  for (const auto& [name, value] : fields) {
    line += ' ' + std::string(name) + "=\"" + json_escaped(value) + '"';
  }
  return line;
}

}  // namespace

std::string json_escaped(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      out += '\\';
      out += character;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += character;
    }
  }
  return out;
}

Logger::Logger(LogLevel level, LogFormat format) : level_(level), format_(format) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink_ = std::make_unique<spdlog::logger>("backplane", std::move(sink));
  sink_->set_pattern(format == LogFormat::kJson ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v}"
                                                : "%Y-%m-%dT%H:%M:%S.%eZ %v",
                     spdlog::pattern_time_type::utc);
  sink_->flush_on(spdlog::level::info);
}

Logger::~Logger() = default;

void Logger::write(LogLevel level, std::string_view component, std::string_view message,
                   const std::vector<LogField>& fields) {
  if (!enabled(level)) return;
  const std::string_view kept = message.substr(0, kLineBytesMax);
  const std::string line = format_ == LogFormat::kJson ? json_line(level, component, kept, fields)
                                                       : text_line(level, component, kept, fields);
  sink_->log(spdlog::level::info, line);
}

}  // namespace backplane
