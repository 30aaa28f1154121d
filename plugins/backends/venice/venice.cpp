// SPDX-License-Identifier: Apache-2.0
#include "common/provider.hpp"
#include "common/sealed_calls/sealed_call.hpp"
#include "seal_settings.hpp"

namespace backplane::venice {
namespace {

constexpr char kSchema[] =
#include "bp_plugin_schema.inc"
    ;

constexpr std::string_view kChat = "chat.completions";
constexpr std::string_view kSealedPrefix = "e2ee-";
constexpr std::string_view kAgent = "backplane/" BP_PLUGIN_VERSION;

class Venice final : public dialect::Provider {
 public:
  static Result<std::unique_ptr<Venice>> create(Host host, const InstanceOptions& options) {
    Result<dialect::Settings> settings = dialect::read_settings(options.settings, "venice");
    if (!settings) return settings.error();
    Result<SealSettings> seal = read_seal_settings(options.settings);
    if (!seal) return seal.error();
    const Result<dialect::Services> services = dialect::find_services(host);
    if (!services) return services.error();
    return std::make_unique<Venice>(std::move(*settings), std::move(*seal), *services,
                                    options.name);
  }

  Venice(dialect::Settings settings, SealSettings seal, const dialect::Services& services,
         std::string_view name)
      : Provider(std::move(settings), services, name, std::string(kAgent)),
        sealing_(seal.sealing),
        calls_{&sealing::kVenice, std::move(seal.attestation), {}, {}} {
    calls_.options.report_url = base_url() + "/tee/attestation";
  }

  Status start() override {
    const Status started = Provider::start();
    calls_.report_headers = headers();
    calls_.report_headers.push_back({"accept", "application/json"});
    return started;
  }

 protected:
  Result<Call*> send(const bp_request& request, const bp_sink& sink, std::string_view model,
                     dialect::Outgoing outgoing) override {
    const bool is_named = model.substr(0, kSealedPrefix.size()) == kSealedPrefix;
    const bool is_sealed =
        sealing_ == Sealing::kRequired || (sealing_ == Sealing::kAuto && is_named);
    if (!is_sealed) return Provider::send(request, sink, model, std::move(outgoing));
    if (view(request.operation) != kChat) return not_sealed(view(request.operation));
    return sealed_calls::start_sealed_call(calls_, upstream(), request, sink, model,
                                           std::move(outgoing));
  }

 private:
  static Error not_sealed(std::string_view operation) {
    return invalid_argument("end-to-end encryption (venice) covers chats alone, and \"" +
                            std::string(operation) + "\" would go in the clear");
  }

  const Sealing sealing_;
  sealed_calls::SealedCalls calls_;
};

}  // namespace

BP_EXPORT_BACKEND(Venice, kSchema);

}  // namespace backplane::venice
