// SPDX-License-Identifier: Apache-2.0
// The gateway's side for targets that drive the HTTP transport.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "tests/plugins/transports/http/fake_host.hpp"

namespace backplane::fuzz {

// The call has all of its body, the rest of which may still come; or never will.
inline bool is_ready(test::FakeCall& call) {
  return call.rest == nullptr || call.read_all(call.body) != BP_READ_WAIT;
}

// Answers every call that waits for it.
inline void answer_all(test::FakeHost& host) {
  host.run_posted();
  for (std::size_t i = 0; i < host.calls.size(); ++i) {
    test::FakeCall& call = host.calls[i];
    if (call.released != 0 || !is_ready(call)) continue;
    call.head(0);
    if (call.released == 0) call.body_bytes("{}", "application/json");
    if (call.released == 0) call.end();
    host.run_posted();
  }
}

// A host with small bounds; a new one now and then, as it keeps every connection that it had.
inline test::FakeHost& host_for_one_run() {
  constexpr std::string_view kSettings =
      R"({"listen":"x:0","max_body_bytes":1024,"max_header_bytes":1024,"max_headers":16})";
  constexpr int kRunsPerHost = 1000;
  static std::unique_ptr<test::FakeHost> host;
  static int runs = 0;
  if (runs++ % kRunsPerHost == 0) {
    host = std::make_unique<test::FakeHost>();
    host->start(kSettings);
  }
  return *host;
}

}  // namespace backplane::fuzz
