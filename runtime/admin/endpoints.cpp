// SPDX-License-Identifier: Apache-2.0
#include "runtime/admin/endpoints.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace backplane {
namespace {

constexpr std::string_view kCalls = "/admin/calls/";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

using Operations = AdminOperations;
using Handler = void (*)(Operations&, const AdminRequest&, const AdminTell&);

void put_log(Operations& operations, const AdminRequest& request, const AdminTell& tell) {
  boost::system::error_code failure;
  const boost::json::value body = boost::json::parse(request.body, failure);
  const boost::json::value* const level =
      !failure && body.is_object() ? body.as_object().if_contains("level") : nullptr;
  const bool alone = level != nullptr && level->is_string() && body.as_object().size() == 1;
  if (!alone || !operations.set_log_level(level->as_string())) {
    return tell(admin_error(422, "BAD_LEVEL",
                            "expected {\"level\": \"debug\"}, or info, warning, error or off"));
  }
  tell({200, operations.log()});
}

struct Endpoint {
  std::string_view method;
  std::string_view path;
  Handler handler;
};

constexpr std::array<Endpoint, 12> kEndpoints = {{
    {"GET", "/health",
     [](Operations&, const AdminRequest&, const AdminTell& tell) {
       tell({200, "ok\n", kText});
     }},
    {"GET", "/ready",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       const bool ready = operations.ready();
       tell({ready ? 200U : 503U, ready ? "ready\n" : "not ready\n", kText});
     }},
    {"GET", "/metrics",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       tell({200, operations.metrics(), kPrometheus});
     }},
    {"GET", "/admin/status",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       tell({200, operations.status()});
     }},
    {"GET", "/admin/plugins",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       tell({200, operations.plugins()});
     }},
    {"GET", "/admin/routes",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       tell({200, operations.routes()});
     }},
    {"GET", "/admin/calls",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       operations.list_calls(tell);
     }},
    {"GET", "/admin/log",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       tell({200, operations.log()});
     }},
    {"PUT", "/admin/log", put_log},
    {"POST", "/admin/reload",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       operations.reload(tell);
     }},
    {"POST", "/admin/drain",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       operations.drain();
       tell({200, operations.status()});
     }},
    {"POST", "/admin/cache/clear",
     [](Operations& operations, const AdminRequest&, const AdminTell& tell) {
       tell({200, operations.clear_cache()});
     }},
}};

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

int digit_of(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

// RFC 3986, section 2.1.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = digit_of(text[i + 1]);
    const int low = digit_of(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

void cancel_call(Operations& operations, std::string_view encoded, const AdminTell& tell) {
  const std::optional<std::string> id = percent_decoded(encoded);
  if (!id || id->empty()) return tell(admin_error(404, "NO_SUCH_CALL", "there is no such call"));
  operations.cancel_calls(*id, tell);
}

}  // namespace

bool is_public(std::string_view target) {
  return path_of(target) == "/health" || path_of(target) == "/ready";
}

AdminAnswer admin_error(unsigned status, std::string_view code, std::string_view message) {
  boost::json::object error{{"code", code}, {"message", message}};
  return {status, boost::json::serialize(boost::json::object{{"error", std::move(error)}})};
}

void serve_admin(AdminOperations& operations, const AdminRequest& request, const AdminTell& tell) {
  const std::string_view path = path_of(request.target);
  if (!request.authorized && !is_public(path)) {
    return tell(admin_error(401, "UNAUTHORIZED", "send the token as authorization: Bearer TOKEN"));
  }
  bool known = path.starts_with(kCalls);
  if (known && request.method == "DELETE") {
    return cancel_call(operations, path.substr(kCalls.size()), tell);
  }
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.path != path) continue;
    if (endpoint.method == request.method) return endpoint.handler(operations, request, tell);
    known = true;
  }
  if (known) return tell(admin_error(405, "METHOD_NOT_ALLOWED", "not by this method"));
  tell(admin_error(404, "NOT_FOUND", "there is nothing at this path"));
}

}  // namespace backplane
