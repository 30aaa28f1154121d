// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/host_services.hpp"

#include "runtime/host/network_metrics.hpp"
#include "runtime/net/event_loop.hpp"
#include "runtime/pipeline/cache/cache_metrics.hpp"
#include "runtime/services/process_metrics.hpp"

namespace backplane {
namespace {

constexpr std::uint64_t kCertificatePollMs = 10'000;

}  // namespace

LogLevel level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kTrace:
    case config::LogLevel::kDebug:
      return LogLevel::kDebug;
    case config::LogLevel::kInfo:
      return LogLevel::kInfo;
    case config::LogLevel::kWarning:
      return LogLevel::kWarn;
    case config::LogLevel::kError:
      return LogLevel::kError;
    case config::LogLevel::kOff:
      break;
  }
  return LogLevel::kOff;
}

LogFormat format_of(config::LogFormat format) {
  return format == config::LogFormat::kJson ? LogFormat::kJson : LogFormat::kText;
}

HostServices::HostServices(const config::Log& log)
    : logger(level_of(log.level), format_of(log.format)), store(*system_clock(), {}) {}

Status HostServices::start(std::uint32_t loop_count) {
  auto started = Loops::start(loop_count);
  if (!started) return started.error();
  loops = std::move(*started);
  net = std::make_unique<Net>(*loops);
  net->watch_certificates(kCertificatePollMs, [this](const std::string& file, const Status& read) {
    if (read) {
      return logger.write(LogLevel::kInfo, "runtime", "certificate renewed", {{"file", file}});
    }
    logger.write(LogLevel::kError, "runtime",
                 "the old certificate stays in use: " + read.error().message, {{"file", file}});
  });
  auto client = HttpClient::create(*loops, {});
  if (!client) return client.error();
  http = std::move(*client);
  Status defined = define_process_metrics(metrics);
  if (defined) defined = define_network_metrics(metrics, *net, *http);
  return defined ? define_cache_metrics(metrics, cache) : defined;
}

SharedServices HostServices::shared() {
  SharedServices services;
  services.loop = loops->table();
  services.net = net->table();
  services.http = http->table();
  services.clock = system_clock();
  services.metrics = metrics.table();
  services.logger = &logger;
  services.store = &store;
  return services;
}

void HostServices::settle_loops() {
  constexpr int kRounds = 3;  // an end is posted, posts the release, which may wait for one more
  for (int round = 0; round < kRounds; ++round) {
    for (std::uint32_t i = 0; i < loops->count(); ++i) loops->at(i).run_and_wait([] {});
  }
}

}  // namespace backplane
