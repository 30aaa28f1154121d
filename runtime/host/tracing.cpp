// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/tracing.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace backplane {
namespace {

// What the HTTP client writes itself, and what the exporter does.
constexpr std::array<std::string_view, 5> kReserved = {"connection", "content-length",
                                                       "content-type", "host", "transfer-encoding"};

// A key read from a file often ends with its line.
std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

Status check_header(const std::string& name, const std::string& value) {
  const std::string place = "telemetry.otlp.headers." + name + ": ";
  const bool is_reserved = std::any_of(kReserved.begin(), kReserved.end(), [&](auto reserved) {
    return strcasecmp(name.c_str(), std::string(reserved).c_str()) == 0;
  });
  if (is_reserved) return invalid_argument(place + "set by the exporter; leave it out");
  const bool is_visible = std::all_of(value.begin(), value.end(),
                                      [](char byte) { return byte >= 0x20 && byte < 0x7F; });
  if (!is_visible) return invalid_argument(place + "expected visible ASCII characters");
  return ok();
}

}  // namespace

Result<std::unique_ptr<Tracer>> make_tracer(const config::Deployment& deployment,
                                            const TracerServices& services) {
  if (!deployment.telemetry.otlp) return std::unique_ptr<Tracer>();
  const config::Otlp& otlp = *deployment.telemetry.otlp;
  TracerSettings settings;
  settings.endpoint = otlp.endpoint;
  settings.sample_ratio = otlp.sample_ratio;
  settings.service_name = otlp.service_name;
  settings.attributes = otlp.attributes;
  for (const auto& [name, secret] : otlp.headers) {
    const std::string* const value = deployment.secrets.find(secret);
    settings.headers.emplace_back(name, value != nullptr ? trimmed(*value) : std::string());
    if (const Status checked = check_header(name, settings.headers.back().second); !checked) {
      return checked.error();
    }
  }
  return Tracer::create(services, std::move(settings));
}

}  // namespace backplane
