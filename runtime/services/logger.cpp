// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/logger.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>

namespace backplane {
namespace {

constexpr std::size_t kLineBytesMax = 8192;
constexpr std::size_t kFrameBytes = 128;  // time, level and what frames the rest
constexpr std::size_t kComponentBytesMax = 256;
constexpr std::size_t kMessageBytesMax = 4096;
constexpr std::size_t kNameBytesMax = 128;

constexpr const char* name_of(LogLevel level) {
  constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
  return kNames[static_cast<std::uint32_t>(level) & 3U];
}

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool surrogate = lead == 0xED && byte(1) > 0x9F;
  const bool too_high = lead == 0xF4 && byte(1) > 0x8F;
  return overlong || surrogate || too_high ? 0 : size;
}

// One character as it stands inside a JSON string; takes it off `text`.
std::string escaped_character(std::string_view& text) {
  constexpr char kHex[] = "0123456789abcdef";
  const std::size_t size = character_size(text);
  const auto byte = static_cast<unsigned char>(text.front());
  const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
  text.remove_prefix(character.size());
  if (size == 0) return "\xEF\xBF\xBD";
  if (byte == '"' || byte == '\\') return {'\\', static_cast<char>(byte)};
  if (byte < 0x20 || byte == 0x7F) return {'\\', 'u', '0', '0', kHex[byte >> 4U], kHex[byte & 15U]};
  return std::string(character);
}

// Cut between characters where it grows beyond size_max.
std::string escaped(std::string_view text, std::size_t size_max) {
  std::string out;
  while (!text.empty()) {
    const std::string next = escaped_character(text);
    if (out.size() + next.size() > size_max) break;
    out += next;
  }
  return out;
}

// Fields as long as the line has room for them; the last one may be cut.
void append_fields(std::string& line, LogFormat format, const std::vector<LogField>& fields) {
  const bool json = format == LogFormat::kJson;
  for (const auto& [name, value] : fields) {
    const std::string key = escaped(name, kNameBytesMax);
    constexpr std::size_t kQuotes = 6;
    if (line.size() + key.size() + kQuotes + kFrameBytes > kLineBytesMax) return;
    line += (json ? ",\"" : " ") + key + (json ? "\":\"" : "=\"");
    line += escaped(value, kLineBytesMax - kFrameBytes - line.size()) + '"';
  }
}

std::string line_of(LogFormat format, LogLevel level, std::string_view component,
                    std::string_view message) {
  const std::string speaker = escaped(component, kComponentBytesMax);
  const std::string said = escaped(message, kMessageBytesMax);
  if (format == LogFormat::kText) return std::string(name_of(level)) + ' ' + speaker + ": " + said;
  return "\"level\":\"" + std::string(name_of(level)) + "\",\"component\":\"" + speaker +
         "\",\"message\":\"" + said + '"';
}

}  // namespace

std::string json_escaped(std::string_view text) {
  return escaped(text, std::string::npos);
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
  std::string line = line_of(format_, level, component, message);
  append_fields(line, format_, fields);
  sink_->log(spdlog::level::info, line);
}

}  // namespace backplane
