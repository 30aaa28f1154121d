// SPDX-License-Identifier: Apache-2.0
#include "common/settings.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace backplane::dialect {
namespace {

namespace dom = simdjson::dom;

// The connection's own headers, and what a body's framing depends on.
constexpr std::array<std::string_view, 8> kReserved{
    "connection", "content-length", "content-type",      "host",
    "te",         "trailer",        "transfer-encoding", "upgrade"};

bool is_token(std::string_view name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           kMarks.find(byte) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& byte : out) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
  }
  return out;
}

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, port);
  return parsed.ec == std::errc() && parsed.ptr == end && port != 0;
}

// Whether `text` is a host, or an IPv6 address in brackets, and perhaps a port.
bool is_authority(std::string_view text) {
  const bool is_v6 = !text.empty() && text.front() == '[';
  const std::size_t closed = is_v6 ? text.find(']') : 0;
  if (closed == std::string_view::npos) return false;
  const std::size_t colon = text.find(':', closed);
  const std::size_t host_end = is_v6 ? closed + 1 : std::min(colon, text.size());
  if (host_end == 0 || (is_v6 && host_end != std::min(colon, text.size()))) return false;
  return colon == std::string_view::npos || is_port(text.substr(colon + 1));
}

Result<std::string> read_base_url(const dom::element& root, const Profile* profile) {
  std::string_view url;
  const auto error = root["base_url"].get(url);
  if (error == simdjson::NO_SUCH_FIELD && profile != nullptr) url = profile->base_url;
  if (url.empty()) {
    return invalid_argument("base_url: expected an http or https URL, found none");
  }
  const bool is_http = url.substr(0, 7) == "http://" || url.substr(0, 8) == "https://";
  if (!is_http || url.find_first_of("?# \t\r\n") != std::string_view::npos) {
    return invalid_argument("base_url: expected http:// or https://, a host and a path");
  }
  std::string_view authority = url.substr(url.find("://") + 3);
  authority = authority.substr(0, authority.find('/'));
  if (authority.find('@') != std::string_view::npos) {
    return invalid_argument("base_url: credentials do not go here; give api_key or headers");
  }
  if (!authority.empty() && !is_authority(authority)) {
    return invalid_argument("base_url: expected a host and a port from 1 to 65535");
  }
  while (url.back() == '/') url.remove_suffix(1);
  if (url.size() <= std::string_view("http://").size()) {
    return invalid_argument("base_url: expected a host behind http:// or https://");
  }
  return std::string(url);
}

Status read_models(const dom::element& root, std::vector<std::string>& models) {
  dom::array list;
  if (root["models"].get(list) != simdjson::SUCCESS) return ok();
  for (const dom::element item : list) {
    std::string_view name;
    if (item.get(name) != simdjson::SUCCESS || name.empty()) {
      return invalid_argument("models: expected a list of names");
    }
    models.emplace_back(name);
  }
  return ok();
}

Status read_headers(const dom::element& root, std::vector<Header>& headers) {
  dom::object map;
  if (root["headers"].get(map) != simdjson::SUCCESS) return ok();
  for (const auto& [key, item] : map) {
    std::string name = lower(key);
    std::string_view value;
    if (!is_token(name) || item.get(value) != simdjson::SUCCESS) {
      return invalid_argument("headers: expected header names with a text each");
    }
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
      return invalid_argument("headers: \"" + name + "\" is always set by the gateway; remove it");
    }
    headers.push_back({std::move(name), std::string(value)});
  }
  return ok();
}

Status read_timeouts(const dom::element& root, Timeouts& timeouts) {
  dom::object map;
  if (root["timeouts"].get(map) != simdjson::SUCCESS) return ok();
  const auto read = [&](std::string_view name, std::uint32_t& out) {
    std::uint64_t value = 0;
    const auto error = map[name].get(value);
    if (error == simdjson::NO_SUCH_FIELD) return true;
    if (error != simdjson::SUCCESS || value > std::numeric_limits<std::uint32_t>::max()) {
      return false;
    }
    out = static_cast<std::uint32_t>(value);
    return true;
  };
  if (read("connect_ms", timeouts.connect_ms) && read("first_byte_ms", timeouts.first_byte_ms) &&
      read("idle_ms", timeouts.idle_ms) && read("total_ms", timeouts.total_ms)) {
    return ok();
  }
  return invalid_argument("timeouts: expected milliseconds as integers");
}

Result<const Profile*> read_profile(const dom::element& root, std::string_view fixed) {
  std::string_view name = fixed;
  if (name.empty() && root["profile"].get(name) == simdjson::NO_SUCH_FIELD) return nullptr;
  const Profile* found = find_profile(name);
  if (found != nullptr) return found;
  std::string known;
  for (const Profile& each : profiles()) {
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  return invalid_argument("profile: expected one of " + known);
}

Status read_names(const dom::element& root,
                  std::map<std::string, std::string, std::less<>>& names) {
  dom::object map;
  if (root["names"].get(map) != simdjson::SUCCESS) return ok();
  for (const auto& [key, item] : map) {
    std::string_view name;
    if (item.get(name) != simdjson::SUCCESS || name.empty()) {
      return invalid_argument("names: expected the provider's name of each model");
    }
    names.emplace(key, name);
  }
  return ok();
}

Status read_refresh(const dom::element& root, Settings& settings) {
  constexpr std::uint32_t kRefreshSeconds = 3600;
  const bool is_listed = settings.profile != nullptr && settings.profile->lists_models;
  std::uint64_t seconds = is_listed ? kRefreshSeconds : 0;
  const auto error = root["models_refresh_seconds"].get(seconds);
  if ((error != simdjson::SUCCESS && error != simdjson::NO_SUCH_FIELD) ||
      seconds > std::numeric_limits<std::uint32_t>::max()) {
    return invalid_argument("models_refresh_seconds: expected seconds as an integer");
  }
  settings.models_refresh_seconds = static_cast<std::uint32_t>(seconds);
  return ok();
}

Status read_tags(const dom::element& root, Settings& settings) {
  const bool leaves_tags = settings.profile != nullptr && settings.profile->leaves_tags;
  std::string_view word = leaves_tags ? "auto" : "off";
  const auto error = root["reasoning_tags"].get(word);
  const bool is_text = error == simdjson::SUCCESS || error == simdjson::NO_SUCH_FIELD;
  if (!is_text || (word != "off" && word != "auto" && word != "opened")) {
    return invalid_argument("reasoning_tags: expected off, auto or opened");
  }
  if (word == "auto") settings.reasoning_tags = ReasoningTags::kAuto;
  if (word == "opened") settings.reasoning_tags = ReasoningTags::kOpened;
  return ok();
}

// What no call could use is told at the start.
Status check_names(const Settings& settings) {
  for (const std::string& model : settings.models) {
    if (const Status clear = settings.check_clear(model); !clear) return clear;
  }
  for (const auto& [name, theirs] : settings.names) {
    if (const Status clear = settings.check_clear(theirs); !clear) return clear;
  }
  return ok();
}

void read_defaults(const dom::element& root, std::string_view member, Settings& settings) {
  dom::object map;
  if (root[member].get(map) != simdjson::SUCCESS) return;
  ObjectDefaults defaults{std::string(member), {}};
  for (const auto& [key, item] : map) {
    defaults.values.emplace_back(key, simdjson::minify(item));
  }
  if (!defaults.values.empty()) settings.defaults.push_back(std::move(defaults));
}

}  // namespace

Status Settings::check_clear(std::string_view model) const {
  if (sealed_models.empty() || model.substr(0, sealed_models.size()) != sealed_models) return ok();
  const std::string plugin(profile->name);
  Error error = invalid_argument(
      "model: \"" + std::string(model) +
      "\" is to be encrypted end to end, and this backend would send it in the clear; \"uses: " +
      plugin + "\" instead of \"profile: " + plugin + "\" encrypts");
  error.type = "UNSUPPORTED_PARAMETER";
  error.http_status = 400;
  return error;
}

Result<Settings> read_settings(std::string_view json, std::string_view profile) {
  dom::parser parser;
  dom::element root;
  const bool is_read =
      !json.empty() && parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS;
  if (!is_read || !root.is_object()) {
    return invalid_argument("settings: expected a JSON object");
  }
  Settings settings;
  const Result<const Profile*> named = read_profile(root, profile);
  if (!named) return named.error();
  settings.profile = *named;
  Result<std::string> base_url = read_base_url(root, settings.profile);
  if (!base_url) return base_url.error();
  settings.base_url = std::move(*base_url);
  std::string_view api_key;
  if (root["api_key"].get(api_key) == simdjson::SUCCESS) settings.api_key = api_key;
  if (const Status read = read_models(root, settings.models); !read) return read.error();
  if (const Status read = read_names(root, settings.names); !read) return read.error();
  if (const Status read = read_headers(root, settings.headers); !read) return read.error();
  if (const Status read = read_timeouts(root, settings.timeouts); !read) return read.error();
  if (const Status read = read_refresh(root, settings); !read) return read.error();
  if (const Status read = read_tags(root, settings); !read) return read.error();
  if (settings.profile != nullptr && profile.empty()) {
    settings.sealed_models = settings.profile->sealed_models;
  }
  if (const Status checked = check_names(settings); !checked) return checked.error();
  read_defaults(root, "venice_parameters", settings);
  settings.stream_usage = settings.profile == nullptr || settings.profile->asks_usage;
  bool stream_usage = true;
  if (root["stream_usage"].get(stream_usage) == simdjson::SUCCESS) {
    settings.stream_usage = stream_usage;
  }
  return settings;
}

}  // namespace backplane::dialect
