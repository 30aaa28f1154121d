// SPDX-License-Identifier: Apache-2.0
// Finds tool calls in the text of an answer, in the format of its model, however the text is cut
// into pieces. What is no call after all is content, and nothing is lost but the white space around
// calls.
#pragma once

#include <string>
#include <string_view>

#include "plugins/backends/local/output/call_scanner.hpp"
#include "plugins/backends/local/output/output_format.hpp"
#include "plugins/backends/local/output/output_listener.hpp"

namespace backplane::local {

class ToolCallParser {
 public:
  // The listener outlives it.
  ToolCallParser(ToolFormat format, OutputListener& listener);

  void push(std::string_view text);
  // The text has ended.
  void finish();

 private:
  struct Syntax {
    std::string_view begin;  // stands before a call; empty: nothing does
    std::string_view end;    // stands behind it; likewise
    bool bare = false;       // a call may be the beginning of the answer, without `begin`
    bool listed = false;     // calls may stand in a list
    bool named = false;      // the name may stand before the arguments
  };
  enum class At { kText, kBegin, kCall, kAfter, kName, kArguments };

  static Syntax syntax_of(ToolFormat format);
  bool advance();
  bool find_call();
  bool begin_call();
  bool take_call();
  bool pass_end();
  bool take_name();
  bool take_arguments();
  void start_scan();
  void say(std::string_view text);
  void give_up();
  void consume(std::size_t size);

  const Syntax syntax_;
  OutputListener& listener_;
  At at_ = At::kText;
  std::string pending_;
  std::string raw_;  // of what may be a call, while the listener has not heard of it
  CallScanner scanner_;
  JsonValueEnd arguments_;
  bool in_list_ = false;
  bool at_start_ = true;  // nothing but white space has come
  bool called_ = false;
  bool announced_ = false;  // the call that is being read
};

}  // namespace backplane::local
