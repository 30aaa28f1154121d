// SPDX-License-Identifier: Apache-2.0
// A call whose form has not named its model yet: reads on until it has, keeps what it reads, and
// then is the door to the call it has opened. Lives on one loop; deletes itself once it is released
// and over.
#pragma once

#include "runtime/pipeline/form_input.hpp"
#include "runtime/pipeline/generation.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace backplane {

// Finds the model and its routes, and makes the call.
class CallOpener {
 public:
  virtual ~CallOpener() = default;
  // `input` may be null. The call starts in a later turn of the loop.
  virtual Result<GatewayCall*> open(Generation& generation, LoopCalls& calls,
                                    const bp_request& request, const bp_sink& sink,
                                    RequestScan scan, std::unique_ptr<FormInput> input) = 0;
};

class FormCall final : public bp_call {
 public:
  // `scan` has read request.body. At most body_bytes_max bytes are read for the model.
  FormCall(Generation& generation, LoopCalls& loop_calls, CallOpener& opener,
           const bp_request& request, const bp_sink& sink, std::unique_ptr<FormScan> scan);
  FormCall(const FormCall&) = delete;
  FormCall& operator=(const FormCall&) = delete;

  // Begins in a later turn, so that nothing is emitted before begin has returned.
  void start_later();
  // The deployment goes: ends the call with an error.
  void shut_down();

 private:
  ~FormCall();
  void post(bp_task task);
  void start();
  void read_on();
  void hold(std::string_view bytes);
  void open();
  void fail(const Error& error);
  void leave_stage();
  void client_cancelled();
  void client_resumed();
  void client_left();
  void destroy_when_idle();

  GenerationUse use_;  // the last to go
  Generation& generation_;
  CallContext& context_;
  LoopCalls& loop_calls_;
  CallOpener& opener_;
  std::list<FormCall*>::iterator position_;
  const bp_sink sink_;
  std::unique_ptr<FormScan> scan_;
  const std::uint64_t held_bytes_max_;
  const std::string id_;
  const std::string operation_;
  const std::string content_type_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::int64_t deadline_ns_;

  const bp_body_stream* stream_;
  std::uint64_t left_bytes_;  // of the stream, or BP_SIZE_UNKNOWN
  std::string held_;
  GatewayCall* opened_ = nullptr;
  bool reading_ = true;
  bool released_ = false;
  bool destroying_ = false;
  std::uint32_t pending_posts_ = 0;
  std::uint64_t deadline_timer_ = 0;
};

}  // namespace backplane
