// SPDX-License-Identifier: Apache-2.0
// The transport of HTTP/1.1: OpenAI's API over the host's gateway.
#include "server.hpp"

namespace {

using namespace backplane;

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

class Http final : public Transport {
 public:
  static Result<std::unique_ptr<Http>> create(Host host, const InstanceOptions& options) {
    Result<http::Settings> settings = http::read_settings(options.settings);
    if (!settings) return settings.error();
    Result<http::Services> services = http::Server::find_services(host);
    if (!services) return services.error();
    return std::make_unique<Http>(*services, std::move(*settings));
  }

  Http(const http::Services& services, http::Settings settings)
      : server_(services, std::move(settings)) {}

  Status start() override { return server_.listen(); }
  void drain(std::int64_t /*deadline_ns*/) override { server_.drain(); }
  void stop() override { server_.close_listener(); }
  std::string describe() override { return server_.describe(); }

 private:
  http::Server server_;
};

}  // namespace

BP_EXPORT_TRANSPORT(Http, kSchema);
