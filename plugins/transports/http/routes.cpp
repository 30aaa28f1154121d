// SPDX-License-Identifier: Apache-2.0
#include "routes.hpp"

#include <array>
#include <charconv>

namespace backplane::http {
namespace {

constexpr std::string_view kRead = "GET, HEAD, OPTIONS";
constexpr std::string_view kPost = "POST, OPTIONS";

constexpr Route call(std::string_view path, std::string_view operation,
                     Accepts accepts = Accepts::kJson) {
  return {Action::kCall, path, kPost, operation, accepts};
}

constexpr Route read(Action action, std::string_view path) {
  return {action, path, kRead, {}, Accepts::kJson};
}

constexpr std::array kRoutes = {
    call("/v1/chat/completions", "chat.completions"),
    call("/v1/completions", "completions"),
    call("/v1/embeddings", "embeddings"),
    call("/v1/responses", "responses"),
    call("/v1/moderations", "moderations"),
    call("/v1/rerank", "rerank"),
    call("/v1/images/generations", "images.generations"),
    call("/v1/images/edits", "images.edits", Accepts::kEither),
    call("/v1/images/variations", "images.variations", Accepts::kForm),
    call("/v1/audio/speech", "audio.speech"),
    call("/v1/audio/transcriptions", "audio.transcriptions", Accepts::kForm),
    call("/v1/audio/translations", "audio.translations", Accepts::kForm),
    read(Action::kModels, "/v1/models"),
    read(Action::kModel, "/v1/models/"),
    read(Action::kReceipt, "/v1/receipts/"),
    read(Action::kHealth, "/health"),
    read(Action::kReady, "/ready"),
    read(Action::kMetrics, "/metrics"),
};

bool matches(const Route& route, std::string_view path) {
  if (route.path.back() != '/') return path == route.path;
  return path.size() > route.path.size() && path.substr(0, route.path.size()) == route.path;
}

bool allows(const Route& route, std::string_view method) {
  if (method == "OPTIONS") return true;
  if (route.allow == kPost) return method == "POST";
  return method == "GET" || method == "HEAD";
}

}  // namespace

RouteMatch find_route(std::string_view method, std::string_view path) {
  for (const Route& route : kRoutes) {
    if (!matches(route, path)) continue;
    return {&route, allows(route, method), path.substr(route.path.size())};
  }
  return {};
}

std::string_view path_of(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;
    target.remove_prefix(scheme.size());
    const std::size_t slash = target.find_first_of("/?");
    if (slash == std::string_view::npos || target[slash] == '?') return "/";
    target.remove_prefix(slash);
    break;
  }
  if (target != "*" && (target.empty() || target.front() != '/')) return {};
  return target.substr(0, target.find('?'));
}

bool percent_decode(std::string_view encoded, std::string& out) {
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      out += encoded[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = encoded.substr(i + 1, 2);
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (failure != std::errc() || digits.size() != 2 || end != digits.data() + 2) return false;
    out += static_cast<char>(byte);
    i += 2;
  }
  return true;
}

}  // namespace backplane::http
