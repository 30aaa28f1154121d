// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/request_scan.hpp"

#include <backplane/plugin.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace backplane::bench {
namespace {

constexpr std::string_view kSentence =
    R"(A sentence about as long as people write them, with a \"quoted\" word, and a line break.\n)";
constexpr std::size_t kMessageBytes = 2000;

// A conversation of about `size` bytes: turns of 2 kB, with three escapes in 90 bytes.
std::string body_of(std::size_t size) {
  std::string body = R"({"model":"some-model","stream":true,"max_tokens":256,"messages":[)";
  constexpr std::string_view kOpen = R"({"role":"user","content":")";
  constexpr std::string_view kClose = R"("})";
  do {
    if (body.back() == '}') body += ',';
    const std::size_t begin = body.size();
    body += kOpen;
    do {
      body += kSentence;
    } while (body.size() < size && body.size() - begin < kMessageBytes);
    body += kClose;
  } while (body.size() < size);
  return body + "]}";
}

void request_scan(benchmark::State& state) {
  const BufferRef body =
      BufferRef::adopt(make_buffer(body_of(static_cast<std::size_t>(state.range(0)))));
  for (auto _ : state) {
    const Result<RequestScan> scan = scan_request(body.get(), ScanLimits{});
    if (!scan) return state.SkipWithError(scan.error().message.c_str());
    benchmark::DoNotOptimize(&*scan);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.get().size));
}
BENCHMARK(request_scan)->Arg(200)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace backplane::bench
