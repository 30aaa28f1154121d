// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/cache/cache_request.hpp"

#include "runtime/pipeline/header_value.hpp"

#include <simdjson.h>

#include <algorithm>
#include <backplane/plugin.hpp>
#include <charconv>

namespace backplane {
namespace {

namespace od = simdjson::ondemand;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

// What cannot be read asks for the freshest there is.
std::int64_t seconds_of(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  return failure == std::errc() && end == text.data() + text.size()
             ? std::max<std::int64_t>(seconds, 0)
             : 0;
}

void take_directive(std::string_view directive, CacheControl& control) {
  const std::size_t equals = directive.find('=');
  const std::string name = lower_case(trimmed(directive.substr(0, equals)));
  if (name == "no-store") control.no_store = true;
  if (name == "no-cache") control.max_age_s = 0;
  if (name != "max-age") return;
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : directive.substr(equals + 1);
  control.max_age_s = std::min(control.max_age_s, seconds_of(trimmed(value)));
}

bool is_zero(od::value& value) {
  double number = 1;
  return !value.get_double().get(number) && number == 0;
}

bool is_given(od::value& value) {
  od::json_type type;
  return !value.type().get(type) && type != od::json_type::null;
}

bool says_so(od::document& document) {
  od::object object;
  if (document.get_object().get(object)) return false;
  for (auto field : object) {
    std::string_view key;
    od::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    if (key == "temperature" && is_zero(value)) return true;
    if (key == "seed" && is_given(value)) return true;
  }
  return false;
}

}  // namespace

CacheControl cache_control_of(const CallMetadata& metadata) {
  CacheControl control;
  for (const auto& [name, value] : metadata) {
    if (name != "cache-control") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      take_directive(rest.substr(0, comma), control);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return control;
}

bool is_deterministic(std::string_view operation, const bp_buffer& body) {
  if (operation == "embeddings" || operation == "rerank" || operation == "moderations") return true;
  thread_local od::parser parser;
  thread_local std::string padded;
  const char* data = body.data;
  if (body.padding < simdjson::SIMDJSON_PADDING) {
    padded.assign(body.data, body.size);
    padded.append(simdjson::SIMDJSON_PADDING, '\0');
    data = padded.data();
  }
  od::document document;
  if (parser.iterate(data, body.size, body.size + simdjson::SIMDJSON_PADDING).get(document)) {
    return false;
  }
  return says_so(document);
}

}  // namespace backplane
