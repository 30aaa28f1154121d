// SPDX-License-Identifier: Apache-2.0
// Reads one call written as an object, {"name": "f", "arguments": {...}}, while it comes, and tells
// it as soon as its name is known. "parameters" is another name for arguments.
#pragma once

#include <string>
#include <string_view>

#include "plugins/backends/local/output/json_value_end.hpp"
#include "plugins/backends/local/output/output_listener.hpp"

namespace backplane::local {

inline constexpr std::size_t kCallNameBytesMax = 256;

class CallScanner {
 public:
  // `only_calls`: an object with a member no call has is none.
  CallScanner(OutputListener& listener, bool only_calls)
      : listener_(&listener), only_calls_(only_calls) {}

  // The bytes of `text` that belong to it: up to its closing bracket, or what it cannot have.
  std::size_t push(std::string_view text);
  ScanState state() const { return state_; }
  // The listener has heard of it.
  bool announced() const { return announced_; }

 private:
  enum class At { kOpen, kKey, kColon, kValue, kName, kArguments, kArgumentsText, kSkip, kNext };

  std::size_t step(std::string_view text);
  std::size_t take_key(std::string_view text);
  std::size_t room() const;
  std::size_t take_value(std::string_view text);
  void begin_value(char first);
  void end_value();
  void announce();
  void tell(std::string_view arguments);
  void close();

  OutputListener* listener_;
  bool only_calls_;
  ScanState state_ = ScanState::kMore;
  At at_ = At::kOpen;
  bool first_key_ = true;
  JsonValueEnd value_;
  std::string text_;  // of the key, or the string, that is being read, quotes included
  std::string key_;
  std::string name_;
  std::string early_;  // arguments that came before the name
  bool has_arguments_ = false;
  bool announced_ = false;
};

}  // namespace backplane::local
