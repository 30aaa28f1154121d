// SPDX-License-Identifier: Apache-2.0
#include "runtime/telemetry/span.hpp"

#include "runtime/services/logger.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace backplane {
namespace {

constexpr std::uint32_t kParentKnown = 0x100;  // SpanFlags of trace.proto
constexpr std::uint32_t kParentRemote = 0x200;

bool is_plain(char byte) {
  return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  out += '"';
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    out += text;
  } else {
    out += json_escaped(text);
  }
  out += '"';
}

SpanWriter::SpanWriter(std::string& out, const SpanIdentity& identity, SpanKind kind,
                       std::string_view name, std::int64_t start_unix_ns, std::int64_t end_unix_ns)
    : out_(out) {
  out_.clear();
  out_ += R"({"traceId":")" + hex_of(identity.trace_id) + R"(","spanId":")" +
          hex_of(identity.span_id) + '"';
  if (identity.parent_id != SpanId{}) {
    const std::uint32_t flags = kParentKnown | (identity.is_remote ? kParentRemote : 0U);
    out_ += R"(,"parentSpanId":")" + hex_of(identity.parent_id) + R"(","flags":)" +
            std::to_string(flags | kTraceSampled);
  }
  out_ += R"(,"kind":)" + std::to_string(static_cast<int>(kind)) + R"(,"name":)";
  append_json(out_, name);
  out_ += R"(,"startTimeUnixNano":")" + std::to_string(start_unix_ns) + R"(","endTimeUnixNano":")" +
          std::to_string(std::max(start_unix_ns, end_unix_ns)) + R"(","attributes":[)";
}

void SpanWriter::begin_attribute(std::string_view key, std::string_view type) {
  if (!is_first_) out_ += ',';
  is_first_ = false;
  out_ += R"({"key":")";
  out_ += key;
  out_ += R"(","value":{")";
  out_ += type;
  out_ += "\":";
}

void SpanWriter::text(std::string_view key, std::string_view value) {
  begin_attribute(key, "stringValue");
  append_json(out_, value);
  out_ += "}}";
}

void SpanWriter::integer(std::string_view key, std::uint64_t value) {
  begin_attribute(key, "intValue");
  out_ += '"' + std::to_string(value) + "\"}}";
}

void SpanWriter::real(std::string_view key, double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                 std::isfinite(value) ? value : 0.0);
  begin_attribute(key, "doubleValue");
  out_.append(digits.data(), end.ptr);
  out_ += "}}";
}

void SpanWriter::boolean(std::string_view key, bool value) {
  begin_attribute(key, "boolValue");
  out_ += value ? "true}}" : "false}}";
}

void SpanWriter::texts(std::string_view key, const std::vector<std::string>& values) {
  begin_attribute(key, "arrayValue");
  out_ += R"({"values":[)";
  for (const std::string& value : values) {
    if (&value != &values.front()) out_ += ',';
    out_ += R"({"stringValue":)";
    append_json(out_, value);
    out_ += '}';
  }
  out_ += "]}}}";
}

void SpanWriter::end(std::string_view error_message) {
  out_ += ']';
  if (!error_message.empty()) {
    out_ += R"(,"status":{"code":2,"message":)";
    append_json(out_, error_message);
    out_ += '}';
  }
  out_ += '}';
}

ExportFrame make_export_frame(
    const std::vector<std::pair<std::string, std::string>>& resource_attributes,
    std::string_view version) {
  ExportFrame frame;
  frame.before = R"({"resourceSpans":[{"resource":{"attributes":[)";
  for (const auto& attribute : resource_attributes) {
    if (&attribute != &resource_attributes.front()) frame.before += ',';
    frame.before += R"({"key":)";
    append_json(frame.before, attribute.first);
    frame.before += R"(,"value":{"stringValue":)";
    append_json(frame.before, attribute.second);
    frame.before += "}}";
  }
  frame.before += R"(]},"scopeSpans":[{"scope":{"name":"backplane","version":)";
  append_json(frame.before, version);
  frame.before += R"(},"spans":[)";
  frame.after = "]}]}]}";
  return frame;
}

}  // namespace backplane
