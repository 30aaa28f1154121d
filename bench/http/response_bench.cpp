// SPDX-License-Identifier: Apache-2.0
// One event of a stream into the bytes that are sent for it.
#include "reply.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace backplane::http::bench {
namespace {

constexpr std::string_view kText = " a \"word\"";
constexpr std::string_view kDocument =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]})";

void text_event_encode(benchmark::State& state) {
  Dialect dialect;
  dialect.start({DialectKind::kChat, "0123456789abcdef", "some-model", 1'700'000'000, false});
  std::string out;
  for (auto _ : state) {
    out.clear();
    dialect.text_event(out, 0, kText);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}
BENCHMARK(text_event_encode);

// A stream whose head has been sent.
class OpenReply {
 public:
  OpenReply() {
    reply_.start({"chat.completions", "0123456789abcdef", {}, 1'700'000'000});
    bp_event head = event_of(BP_EVENT_HEAD, "some-model");
    head.flags = BP_REQUEST_STREAM;
    Reply::Output out;
    reply_.on_event(head, out);
  }
  std::size_t send(std::uint32_t type, std::string_view data) {
    Reply::Output out;
    reply_.on_event(event_of(type, data), out);
    const std::string_view chunk = out.part->seal(false);
    benchmark::DoNotOptimize(chunk.data());
    return chunk.size();
  }

 private:
  bp_event event_of(std::uint32_t type, std::string_view data) {
    bp_event event{};
    event.struct_size = sizeof(bp_event);
    event.type = type;
    event.sequence = sequence_++;
    event.data = str(data);
    return event;
  }

  Reply reply_;
  std::uint64_t sequence_ = 0;
};

// The chunk of HTTP around it as well.
void stream_event(benchmark::State& state, std::uint32_t type, std::string_view data) {
  OpenReply reply;
  reply.send(type, data);  // the first one opens the stream
  std::size_t bytes = 0;
  for (auto _ : state) bytes = reply.send(type, data);
  if (bytes < data.size()) state.SkipWithError("nothing was sent for the event");
}
BENCHMARK_CAPTURE(stream_event, text, BP_EVENT_TEXT, kText);
BENCHMARK_CAPTURE(stream_event, document, BP_EVENT_CHUNK, kDocument);

}  // namespace
}  // namespace backplane::http::bench
