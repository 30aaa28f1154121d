// SPDX-License-Identifier: Apache-2.0
#include "common/services.hpp"

#include <backplane/secrets.h>

namespace backplane::dialect {
namespace {

Error lacks(std::string_view id) {
  return {Code::kUnimplemented, "this host does not offer " + std::string(id), {}, 0, 0};
}

}  // namespace

Counter::Counter(const Host& host, std::string_view name, std::string_view help,
                 std::string_view backend) {
  const auto* metrics = host.find<bp_metrics>(BP_METRICS_ID);
  if (!BP_HAS(metrics, define) || !BP_HAS(metrics, add)) return;
  const bp_pair label{str("backend"), str(backend)};
  bp_metric_options options{};
  options.struct_size = sizeof(options);
  options.kind = BP_METRIC_COUNTER;
  options.name = str(name);
  options.help = str(help);
  options.labels = &label;
  options.label_count = 1;
  options.denominator = 1;
  bp_error error{};
  if (metrics->define(metrics->context, &options, &handle_, &error) != BP_CODE_OK) {
    host.log(BP_LOG_WARN, error.message);
  } else {
    metrics_ = metrics;
  }
}

Result<Services> find_services(Host host) {
  const Services found{host, host.find<bp_http>(BP_HTTP_ID), host.find<bp_loop_service>(BP_LOOP_ID),
                       host.find<bp_clock>(BP_CLOCK_ID)};
  const bool has_http =
      BP_HAS(found.http, send) && BP_HAS(found.http, resume) && BP_HAS(found.http, cancel);
  if (!has_http) return lacks(BP_HTTP_ID);
  if (!BP_HAS(found.loop, post)) return lacks(BP_LOOP_ID);
  if (!BP_HAS(found.clock, monotonic_ns) || !BP_HAS(found.clock, unix_ns)) {
    return lacks(BP_CLOCK_ID);
  }
  return found;
}

Result<std::string> read_secret(const Host& host, std::string_view reference) {
  const auto* secrets = host.find<bp_secrets>(BP_SECRETS_ID);
  if (!BP_HAS(secrets, get)) return lacks(BP_SECRETS_ID);
  bp_buffer value{};
  bp_error error{};
  if (secrets->get(secrets->context, str(reference), &value, &error) != BP_CODE_OK) {
    return error_of(error);
  }
  const BufferRef held = BufferRef::adopt(value);
  std::string_view text = held.text();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::string();
  text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
  return std::string(text);
}

}  // namespace backplane::dialect
