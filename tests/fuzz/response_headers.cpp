// SPDX-License-Identifier: Apache-2.0
// Headers and lists of a provider, one a line: nothing they say is more than can be.
#include <backplane/plugin.hpp>
#include <string>
#include <vector>

#include "common/model_list.hpp"
#include "common/rate_limit.hpp"
#include "common/retry_after.hpp"
#include "common/upstream_error.hpp"
#include "common/wait_time.hpp"
#include "tests/fuzz/fuzzing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::dialect;
  using backplane::fuzz::expect;
  constexpr std::int64_t kNowNs = 1'700'000'000'000'000'000;
  const std::string_view text = backplane::fuzz::text_of(data, size);
  std::vector<bp_pair> headers;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.push_back({backplane::str(line.substr(0, colon)),
                       backplane::str(line.substr(std::min(colon + 1, line.size())))});
    advised_wait_ms(line);
  }
  if (const auto limit = read_rate_limit(headers, kNowNs)) exhausted_for_ms(*limit);
  expect(retry_after_ms(headers, kNowNs) <= kRetryAfterMaxMs, "a wait beyond its bound");
  const backplane::Error error = upstream_error(429, text, 0, Scrubber());
  expect(error.retry_after_ms <= kRetryAfterMaxMs, "an advised wait beyond its bound");
  if (const auto models = read_model_list(text)) {
    for (const ListedModel& model : *models) {
      expect(model.id.size() <= kModelNameMaxBytes, "a name beyond its bound");
      model.describe(model.id);
    }
  }
  return 0;
}
