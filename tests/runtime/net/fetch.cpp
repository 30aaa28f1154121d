// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/net/fetch.hpp"

#include <gtest/gtest.h>

namespace backplane::testing {

namespace {

bp_str str(std::string_view text) {
  return {text.data(), text.size()};
}
std::string string_of(bp_str text) {
  return std::string(text.data, text.size);
}

}  // namespace

HttpWorld::HttpWorld(HttpClientOptions options, std::uint32_t loop_count)
    : loops(std::move(*Loops::start(loop_count))),
      client(std::move(*HttpClient::create(*loops, options))) {}

HttpWorld::~HttpWorld() {
  client.reset();
}

const bp_http_handler Fetch::kHandler = {
    sizeof(bp_http_handler),
    0,
    [](void* context, std::uint32_t status, const bp_pair* pairs, std::uint64_t count) {
      auto& self = *static_cast<Fetch*>(context);
      EXPECT_FALSE(self.inside_send_);
      self.outcome.update([&](Outcome& seen) {
        ++seen.heads;
        seen.status = status;
        for (std::uint64_t index = 0; index < count; ++index) {
          seen.headers.emplace_back(string_of(pairs[index].name), string_of(pairs[index].value));
        }
      });
      if (self.on_head) self.on_head();
    },
    [](void* context, bp_str bytes) -> std::uint32_t {
      auto& self = *static_cast<Fetch*>(context);
      self.outcome.update([&](Outcome& seen) { seen.body += string_of(bytes); });
      return self.on_data ? self.on_data({bytes.data, bytes.size}) : BP_FLOW_CONTINUE;
    },
    [](void* context) {
      auto& self = *static_cast<Fetch*>(context);
      EXPECT_FALSE(self.inside_send_);
      if (self.on_end) self.on_end();
      self.outcome.update([](Outcome& seen) { ++seen.done; });
    },
    [](void* context, const bp_error* error) {
      auto& self = *static_cast<Fetch*>(context);
      EXPECT_FALSE(self.inside_send_);
      if (self.on_end) self.on_end();
      self.outcome.update([&](Outcome& seen) {
        ++seen.failed;
        seen.code = error->code;
        seen.message = error->message;
      });
    },
};

Fetch::Fetch(HttpWorld& world, std::string url) : world_(world), url_(std::move(url)) {
  request.struct_size = sizeof(request);
}

std::uint32_t Fetch::start(bp_error* error) {
  std::uint32_t code = BP_CODE_OK;
  world_.run([&] { code = start_here(error); });
  return code;
}

std::uint32_t Fetch::start_here(bp_error* error) {
  std::vector<bp_pair> pairs;
  for (const auto& [name, value] : headers) pairs.push_back({str(name), str(value)});
  pieces_.clear();
  for (const auto& piece : body) pieces_.push_back(str(piece));
  request.loop = world_.loop();
  request.method = str(method);
  request.url = str(url_);
  request.headers = pairs.data();
  request.header_count = pairs.size();
  request.body = pieces_.data();
  request.body_count = pieces_.size();
  const bp_http& http = *world_.client->table();
  inside_send_ = true;
  const std::uint32_t code = http.send(http.context, &request, &kHandler, this, &exchange, error);
  inside_send_ = false;
  return code;
}

void Fetch::resume() {
  world_.run([&] { world_.client->table()->resume(exchange); });
}

void Fetch::cancel() {
  world_.run([&] { cancel_here(); });
}

void Fetch::cancel_here() {
  world_.client->table()->cancel(exchange);
}

Outcome Fetch::wait() {
  EXPECT_TRUE(outcome.wait([](const Outcome& seen) { return seen.ended(); }));
  // Whatever might wrongly follow has been told after one more turn.
  world_.run([] {});
  const Outcome seen = outcome.get();
  EXPECT_EQ(seen.done + seen.failed, 1);
  return seen;
}

}  // namespace backplane::testing
