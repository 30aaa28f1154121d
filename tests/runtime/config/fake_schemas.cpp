// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/config/fake_schemas.hpp"

namespace backplane::config {
namespace {

constexpr const char* kListen = R"json({
  "type": "object", "additionalProperties": false, "required": ["listen"],
  "properties": {
    "listen": {"type": "string", "pattern": "^[^:]+:[0-9]+$", "description": "Address and port."},
    "backlog": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 128},
    "keep_alive": {"type": "boolean", "default": true},
    "tls": {
      "type": "object", "additionalProperties": false, "required": ["certificate", "key"],
      "properties": {
        "certificate": {"type": "string", "minLength": 1},
        "key": {"type": "string", "minLength": 1, "x-secret": true}}}}})json";

constexpr const char* kCloud = R"json({
  "type": "object", "additionalProperties": false, "required": ["api_key"],
  "properties": {
    "api_key": {"type": "string", "minLength": 8, "x-secret": true},
    "base_url": {"type": "string", "default": "https://api.example.com/v1"},
    "profile": {"type": "string", "enum": ["openai", "vllm", "ollama"], "default": "openai"},
    "timeout_ms": {"type": "integer", "minimum": 1, "default": 60000},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "organization": {"type": ["string", "null"], "default": null},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
    "regions": {"type": "array", "minItems": 1, "maxItems": 3,
                "items": {"type": "string", "minLength": 2, "maxLength": 4}},
    "stop": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "auth": {
      "type": "object",
      "oneOf": [
        {"properties": {"kind": {"const": "bearer"}, "header": {"type": "string", "default":
           "Authorization"}}, "additionalProperties": false},
        {"properties": {"kind": {"const": "signed"}, "region": {"type": "string"}},
         "required": ["region"], "additionalProperties": false}]},
    "extra": {"type": "object"}}})json";

constexpr const char* kLocal = R"json({
  "type": "object", "additionalProperties": false, "required": ["model"],
  "properties": {
    "model": {"type": "string", "x-path": true},
    "threads": {"type": "integer", "minimum": 0, "default": 0}}})json";

std::vector<PluginSchema> plugins() {
  return {{PluginKind::kTransport, "web", "1.0.0", kListen},
          {PluginKind::kBackend, "cloud", "0.3.0", kCloud},
          {PluginKind::kBackend, "cloud", "1.2.0", kCloud},
          {PluginKind::kBackend, "disk", "1.0.0", kLocal},
          {PluginKind::kBackend, "broken", "1.0.0", R"({"type": "object", "anyOf": []})"},
          {PluginKind::kPayment, "nobody", "1.0.0", ""},
          {PluginKind::kService, "batch", "1.0.0", ""}};
}

}  // namespace

Result<PluginSchema> FakeSchemas::find(PluginKind kind, const Requirement& requirement,
                                       const PluginSearch&) const {
  return choose_plugin(plugins(), kind, requirement);
}

std::vector<PluginSchema> FakeSchemas::all(const PluginSearch&) const {
  return plugins();
}

}  // namespace backplane::config
