// SPDX-License-Identifier: Apache-2.0
#include "settings.hpp"

#include <boost/json.hpp>

#include <algorithm>

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

Status read_cors(const json::object& from, CorsPolicy& to) {
  read(from, "max_age_s", to.max_age_s);
  read(from, "credentials", to.credentials);
  const json::value* origins = from.if_contains("origins");
  if (origins == nullptr || !origins->is_array()) return ok();
  for (const json::value& origin : origins->as_array()) {
    if (origin.is_string()) to.origins.emplace_back(origin.as_string());
  }
  const bool any = std::find(to.origins.begin(), to.origins.end(), "*") != to.origins.end();
  if (any && to.credentials) {
    return invalid_argument("cors: credentials need origins by name, not \"*\"");
  }
  if (any) to.origins = {"*"};
  return ok();
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
  read(fields, "proxy_protocol", settings.proxy_protocol);
  read(fields, "metrics", settings.metrics);
  read(fields, "compress_min_bytes", settings.compress_min_bytes);
  const json::value* cors = fields.if_contains("cors");
  if (cors != nullptr && cors->is_object()) {
    const Status status = read_cors(cors->as_object(), settings.cors);
    if (!status) return status.error();
  }
  read(fields, "max_streams", settings.max_streams);
  read(fields, "min_body_rate", settings.min_body_rate);
  read(fields, "min_write_rate", settings.min_write_rate);
  read(fields, "max_connections", settings.max_connections);
  read(fields, "max_header_bytes", settings.max_header_bytes);
  read(fields, "max_headers", settings.max_headers);
  read(fields, "max_body_bytes", settings.max_body_bytes);
  read(fields, "max_held_body_bytes", settings.max_held_body_bytes);
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
