// SPDX-License-Identifier: Apache-2.0
// What a streamed answer of an OpenAI-compatible server costs per chunk: framing, reading, both,
// and making one dialect of it.
#include "common/chunk_normalizer.hpp"
#include "common/chunk_reader.hpp"
#include "common/sse_framer.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace backplane::dialect::bench {
namespace {

constexpr std::size_t kChunks = 64;
constexpr std::string_view kText =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]})";
constexpr std::string_view kReasoning =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[{"index":0,"delta":{"reasoning":" word"},"finish_reason":null}]})";
constexpr std::string_view kToolCall =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"f",)"
    R"("arguments":"{}"}}]},"finish_reason":null}]})";
constexpr std::string_view kToolPiece =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},)"
    R"("finish_reason":null}]})";
constexpr std::string_view kFinish =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
constexpr std::string_view kUsage =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
    R"("choices":[],"usage":{"prompt_tokens":9,"completion_tokens":64,"total_tokens":73}})";

std::string stream_of_chunks() {
  std::string stream;
  for (std::size_t i = 0; i < kChunks; ++i) {
    stream += "data: ";
    stream += kText;
    stream += "\n\n";
  }
  return stream;
}

// In pieces of `state.range(0)` bytes, as reads of a socket give them.
template <class Use>
void frame_stream(benchmark::State& state, Use&& use) {
  const std::string stream = stream_of_chunks();
  const auto piece_bytes = static_cast<std::size_t>(state.range(0));
  SseFramer framer;
  std::size_t chunks = 0;
  while (state.KeepRunningBatch(kChunks)) {
    for (std::size_t at = 0; at < stream.size(); at += piece_bytes) {
      framer.feed(std::string_view(stream).substr(at, piece_bytes));
      while (const auto event = framer.next()) {
        use(event->data);
        ++chunks;
      }
    }
  }
  if (chunks != static_cast<std::size_t>(state.iterations())) {
    state.SkipWithError("chunks were lost");
  }
}

void frame(benchmark::State& state) {
  frame_stream(state, [](std::string_view data) { benchmark::DoNotOptimize(data.data()); });
}
BENCHMARK(frame)->Arg(100)->Arg(16 * 1024);

void frame_and_read(benchmark::State& state) {
  ChunkReader reader;
  frame_stream(
      state, [&](std::string_view data) { benchmark::DoNotOptimize(reader.read(data).has_usage); });
}
BENCHMARK(frame_and_read)->Arg(16 * 1024);

void read(benchmark::State& state, std::string_view document) {
  ChunkReader reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.read(document).has_usage);
}
BENCHMARK_CAPTURE(read, text, kText);
BENCHMARK_CAPTURE(read, finish, kFinish);
BENCHMARK_CAPTURE(read, tool_piece, kToolPiece);
BENCHMARK_CAPTURE(read, usage, kUsage);

// Of what has to change.
void translate(benchmark::State& state, std::string_view document) {
  ChunkReader reader;
  ChunkNormalizer normalizer;
  for (auto _ : state) {
    const ChunkFacts facts = reader.read(document);
    if (!normalizer.wants(facts)) state.SkipWithError("nothing to change");
    benchmark::DoNotOptimize(normalizer.normalize(document, document.size(), facts).data());
  }
}
BENCHMARK_CAPTURE(translate, reasoning, kReasoning);
BENCHMARK_CAPTURE(translate, tool_call, kToolCall);

}  // namespace
}  // namespace backplane::dialect::bench
