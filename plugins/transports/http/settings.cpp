// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <boost/json.hpp>

namespace backplane::http {
namespace {

namespace json = boost::json;

template <class Number>
void read(const json::object& from, std::string_view name, Number& to) {
  const json::value* value = from.if_contains({name.data(), name.size()});
  if (value == nullptr) return;
  boost::system::error_code failure;
  const auto number = value->to_number<Number>(failure);
  if (!failure) to = number;
}

void read(const json::object& from, std::string_view name, bool& to) {
  const json::value* value = from.if_contains({name.data(), name.size()});
  if (value != nullptr && value->is_bool()) to = value->as_bool();
}

void read(const json::object& from, std::string_view name, std::string& to) {
  const json::value* value = from.if_contains({name.data(), name.size()});
  if (value != nullptr && value->is_string()) to = value->as_string();
}

}  // namespace

Result<Settings> read_settings(std::string_view text) {
  boost::system::error_code failure;
  const json::value document = json::parse({text.data(), text.size()}, failure);
  if (failure || !document.is_object()) return invalid_argument("settings: expected an object");
  const json::object& fields = document.as_object();
  Settings settings;
  read(fields, "listen", settings.listen);
  read(fields, "http2", settings.http2);
  read(fields, "max_streams", settings.max_streams);
  read(fields, "min_body_rate", settings.min_body_rate);
  read(fields, "min_write_rate", settings.min_write_rate);
  read(fields, "max_connections", settings.max_connections);
  read(fields, "max_header_bytes", settings.max_header_bytes);
  read(fields, "max_headers", settings.max_headers);
  read(fields, "max_body_bytes", settings.max_body_bytes);
  read(fields, "header_timeout_ms", settings.header_timeout_ms);
  read(fields, "body_timeout_ms", settings.body_timeout_ms);
  read(fields, "keep_alive_ms", settings.keep_alive_ms);
  read(fields, "write_timeout_ms", settings.write_timeout_ms);
  const json::value* tls = fields.if_contains("tls");
  if (tls != nullptr && tls->is_object()) {
    read(tls->as_object(), "certificate", settings.tls_certificate);
    read(tls->as_object(), "key", settings.tls_key);
  }
  if (settings.listen.empty()) return invalid_argument("listen: give an address and a port");
  return settings;
}

}  // namespace backplane::http
