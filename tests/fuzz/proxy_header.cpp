// SPDX-License-Identifier: Apache-2.0
// A header is read only from its own bytes, and is the same however they come.
#include "runtime/net/proxy_header.hpp"

#include "tests/fuzz/fuzzing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane;
  using fuzz::expect;
  const std::string_view input = fuzz::text_of(data, size);
  const ProxyHeader whole = read_proxy_header(input);
  if (whole.verdict == ProxyVerdict::kMalformed) return 0;
  if (whole.verdict == ProxyVerdict::kNeedMore) {
    expect(size < kProxyHeaderMaxBytes, "more is asked for than any header has");
    return 0;
  }
  expect(whole.size <= size && whole.size <= kProxyHeaderMaxBytes, "more was read than was given");
  for (std::size_t cut = 0; cut < whole.size; ++cut) {
    expect(read_proxy_header(input.substr(0, cut)).verdict == ProxyVerdict::kNeedMore,
           "a beginning is taken for something else");
  }
  const ProxyHeader again = read_proxy_header(input.substr(0, whole.size));
  expect(again.verdict == whole.verdict && again.size == whole.size, "what follows it counts");
  fuzz::expect_same(text_of(again.source), text_of(whole.source), "what follows it counts");
  return 0;
}
