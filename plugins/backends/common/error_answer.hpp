// SPDX-License-Identifier: Apache-2.0
// A response of a status that is no success: ERROR, with what its body tells.
#pragma once

#include "common/answer.hpp"

#include <cstdint>
#include <string>

namespace backplane::dialect {

inline constexpr std::size_t kErrorBodyMaxBytes = std::size_t{64} << 10;  // the rest is not read

class ErrorAnswer final : public Answer {
 public:
  ErrorAnswer(CallOutput& output, std::uint32_t status, std::uint64_t retry_after_ms,
              const Scrubber& scrubber)
      : Answer(output), status_(status), retry_after_ms_(retry_after_ms), scrubber_(scrubber) {}

  void on_data(std::string_view bytes) override {
    const std::size_t room = kErrorBodyMaxBytes - collected_.size();
    collected_.append(bytes.substr(0, room));
    if (bytes.size() > room) on_done();
  }
  void on_done() override {
    output_.fail(upstream_error(status_, collected_, retry_after_ms_, scrubber_));
  }

 private:
  const std::uint32_t status_;
  const std::uint64_t retry_after_ms_;
  const Scrubber& scrubber_;
  std::string collected_;
};

}  // namespace backplane::dialect
