// SPDX-License-Identifier: Apache-2.0
// The bytes of a request into its head and its body, as a client of OpenAI's API sends them.
#include "request_parser.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace backplane::http::bench {
namespace {

constexpr RequestLimits kLimits = {{32 * 1024, 100}, 16 * 1024 * 1024};

std::string request_of(std::size_t body_bytes) {
  return "POST /v1/chat/completions HTTP/1.1\r\n"
         "Host: 127.0.0.1:8080\r\n"
         "Accept: application/json\r\n"
         "Content-Type: application/json\r\n"
         "User-Agent: OpenAI/Python 1.99.9\r\n"
         "Authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"
         "X-Stainless-Lang: python\r\n"
         "X-Stainless-Async: false\r\n"
         "Accept-Encoding: gzip, deflate\r\n"
         "Connection: keep-alive\r\n"
         "Content-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

bool parse(RequestParser& parser, std::string_view input) {
  for (;;) {
    const RequestParser::Progress progress = parser.feed(input);
    if (progress == RequestParser::Progress::kDone) return true;
    if (progress != RequestParser::Progress::kHead) return false;
  }
}

void request_parse(benchmark::State& state) {
  const std::string request = request_of(static_cast<std::size_t>(state.range(0)));
  RequestParser parser(kLimits);
  for (auto _ : state) {
    if (!parse(parser, request)) return state.SkipWithError("the request was not parsed");
    benchmark::DoNotOptimize(parser.take_body().get().size);
    parser.reset();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.size()));
}
BENCHMARK(request_parse)->Arg(200)->Arg(100'000);

}  // namespace
}  // namespace backplane::http::bench
