// SPDX-License-Identifier: Apache-2.0
// A call and its three holders: whatever comes first, it ends once and goes with the last of them.
#include "plugins/backends/local/local_call.hpp"

#include <gtest/gtest.h>

#include <future>
#include <list>
#include <thread>

#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

constexpr std::string_view kBody = R"({"prompt":"hi","max_tokens":3,"model":"m"})";

// The host's side of a call: its sink, and what came.
class HostSide {
 public:
  HostSide(Engine& engine, AdapterStore& adapters, std::string_view body) {
    const BufferRef buffer = BufferRef::adopt(make_buffer(std::string(body)));
    bp_request request{};
    request.struct_size = sizeof(request);
    request.operation = str("completions");
    request.body = buffer.get();
    call = new LocalCall(engine, output_, adapters, request, sink_, {});
  }
  std::uint32_t code() { return code_.get(); }
  std::uint32_t terminals() const { return terminals_.load(); }

  LocalCall* call;

 private:
  static std::uint32_t take(void* context, const bp_event* event) {
    auto* self = static_cast<HostSide*>(context);
    if (event->type != BP_EVENT_END && event->type != BP_EVENT_ERROR) return BP_FLOW_CONTINUE;
    ++self->terminals_;
    self->over_.set_value(event->type == BP_EVENT_END ? BP_CODE_OK : event->error->code);
    return BP_FLOW_STOP;
  }
  const ModelOutput output_;
  const bp_sink sink_{sizeof(bp_sink), 1024, this, &take};
  std::atomic<std::uint32_t> terminals_{0};
  std::promise<std::uint32_t> over_;
  std::future<std::uint32_t> code_ = over_.get_future();
};

class LocalCallTest : public testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.model_path = tiny_model().save("local_call.gguf");
    options.threads = 1;
    options.queue_max = 40;
    auto loaded = Engine::load(options);
    ASSERT_TRUE(loaded) << loaded.error().message;
    engine = std::move(*loaded);
    adapters = std::make_unique<AdapterStore>(AdapterOptions(), engine->file());
  }
  HostSide& begin(std::string_view body = kBody) {
    return hosts.emplace_back(*engine, *adapters, body);
  }

  std::list<HostSide> hosts;  // outlive the engine, whose thread may still be in them
  std::unique_ptr<Engine> engine;
  std::unique_ptr<AdapterStore> adapters;
};

// Its END may be taken and the call released while the preparer is still in it.
TEST_F(LocalCallTest, TheLastHolderIsAnyOfThem) {
  for (int round = 0; round < 50; ++round) {
    HostSide& host = begin();
    std::thread preparer([call = host.call] { call->prepare(0); });
    EXPECT_EQ(host.code(), BP_CODE_OK);
    host.call->release(host.call);
    preparer.join();
  }
}

// Compiling a schema may take seconds, for which no other request is to wait.
TEST_F(LocalCallTest, WhatMayBringASchemaIsKnownByItsFields) {
  const std::pair<std::string_view, bool> cases[] = {
      {kBody, false},
      {R"({"prompt":"tools, response_format","model":"m"})", false},
      {R"({"messages":[],"response_format":{"type":"json_object"}})", true},
      {R"({"messages":[],"tools" : []})", true},
      {R"({"messages":[],"t\u006Fols":[]})", true},
      {R"({"messages":[],"\u0072esponse_format":{}})", true}};
  for (const auto& [body, is_long] : cases) {
    LocalCall* const call = begin(body).call;
    EXPECT_EQ(call->may_take_long(), is_long) << body;
    call->discard();
  }
}

// The preparer may be busy with others for longer than a cancel may take.
TEST_F(LocalCallTest, ACancelEndsACallThatIsNotPreparedYet) {
  HostSide& host = begin();
  host.call->cancel(host.call);
  EXPECT_EQ(host.terminals(), 1U);
  EXPECT_EQ(host.code(), BP_CODE_CANCELLED);
  host.call->cancel(host.call);
  LocalCall* const call = host.call;
  call->release(call);
  call->prepare(0);  // the preparer comes to it last
  EXPECT_EQ(host.terminals(), 1U);
}

TEST_F(LocalCallTest, ManyChoicesEndOnce) {
  for (const std::string_view body : {R"({"prompt":["a","b"],"n":3,"max_tokens":3})",
                                      R"({"prompt":"a","n":9,"max_tokens":90})"}) {
    HostSide& host = begin(body);
    host.call->prepare(0);
    if (body.find("90") != std::string_view::npos) host.call->cancel(host.call);
    const std::uint32_t code = host.code();
    EXPECT_TRUE(code == BP_CODE_OK || code == BP_CODE_CANCELLED);
    EXPECT_EQ(host.terminals(), 1U);
    host.call->release(host.call);
  }
}

TEST_F(LocalCallTest, AChoiceThatFindsNoPlaceEndsAll) {
  HostSide& host = begin(R"({"prompt":"a","n":128,"max_tokens":90})");
  host.call->prepare(0);
  EXPECT_EQ(host.code(), BP_CODE_RESOURCE_EXHAUSTED);
  EXPECT_EQ(host.terminals(), 1U);
  host.call->release(host.call);
}

TEST_F(LocalCallTest, ARefusedRequestEndsWithItsError) {
  HostSide& host = begin("{}");
  host.call->prepare(0);
  EXPECT_EQ(host.code(), BP_CODE_INVALID_ARGUMENT);
  host.call->release(host.call);
}

}  // namespace
}  // namespace backplane::local
