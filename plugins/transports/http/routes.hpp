// SPDX-License-Identifier: Apache-2.0
// Which method and path does what.
#pragma once

#include <backplane/result.hpp>

#include <string>
#include <string_view>

namespace backplane::http {

// What a call's body may be.
enum class Accepts { kJson, kForm, kEither };

enum class Action { kHealth, kReady, kMetrics, kModels, kModel, kReceipt, kCall };

struct Route {
  Action action;
  std::string_view path;  // ending in '/': a prefix
  std::string_view allow;
  std::string_view operation;  // of a call
  Accepts accepts = Accepts::kJson;
};

struct RouteMatch {
  const Route* route = nullptr;  // null: no such path
  bool method_allowed = false;
  std::string_view rest;  // what followed a prefix, still percent-encoded
};

// `path` is without query.
RouteMatch find_route(std::string_view method, std::string_view path);

// The path of a request target in origin, absolute or asterisk form; empty: not a target.
std::string_view path_of(std::string_view target);

// False where an escape is broken.
bool percent_decode(std::string_view encoded, std::string& out);

}  // namespace backplane::http
