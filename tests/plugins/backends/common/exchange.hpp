// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "plugin_rig.hpp"

namespace backplane::testing {

inline constexpr std::string_view kBody = R"({"model":"public","stream":true,"messages":[]})";

// One request to one instance that has started.
class Exchange {
 public:
  explicit Exchange(std::string_view settings, std::uint32_t flags = 0,
                    std::string_view operation = "chat.completions",
                    const std::map<std::string, std::string>& secrets = {})
      : instance(settings), body_(make_buffer(std::string(kBody))) {
    instance.host.secrets = secrets;
    EXPECT_EQ(instance.create(), BP_CODE_OK) << instance.error.message;
    EXPECT_EQ(instance.start(), BP_CODE_OK) << instance.error.message;
    request.struct_size = sizeof(request);
    request.flags = flags;
    request.id = str("request-1");
    request.operation = str(operation);
    request.body = body_;
    request.model = str("theirs");
    request.model_offset = kBody.find("\"public\"");
    request.model_size = 8;
    request.loop = instance.host.loop();
  }
  ~Exchange() {
    if (call_ != nullptr) {
      if (!sink.ended) {
        call_->cancel(call_);
        instance.host.run();
      }
      call_->release(call_);
    }
    body_.release(body_.owner);
  }
  Exchange(const Exchange&) = delete;

  std::uint32_t submit() { return instance.submit(request, *sink.get(), &call_); }
  const SentRequest& sent() { return instance.host.requests.at(0); }

  Instance instance;
  RecordingSink sink;
  bp_request request{};

 private:
  bp_buffer body_;
  bp_call* call_ = nullptr;
};

}  // namespace backplane::testing
