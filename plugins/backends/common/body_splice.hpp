// SPDX-License-Identifier: Apache-2.0
// The request's body under another model name, and with the usage asked for: pieces over the bytes
// the client sent, which are neither copied nor rebuilt.
#pragma once

#include "common/request_rules.hpp"

#include <backplane/abi.h>
#include <backplane/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

class BodySplice {
 public:
  // Names `request.model` (nothing changes where it is empty or stands there already) and, with
  // `ask_usage`, sets stream_options.include_usage to true, keeping the other options. Borrows the
  // body's bytes for its life and the rest of the request for this call. `rules`: see there.
  // INVALID_ARGUMENT: the body is not a JSON object, or has a field that is refused.
  static Result<BodySplice> make(const bp_request& request, bool ask_usage,
                                 const RequestRules& rules = {});

  // The same of a form, of which `request.body` may be the beginning: `request.model` takes the
  // place of the field's value. INVALID_ARGUMENT: the form names no model, or none can be written.
  static Result<BodySplice> make_form(const bp_request& request);

  // A body that is there already, all of it.
  static BodySplice of_text(std::string text);

  // What to send, in order; valid until the splice moves or goes.
  std::vector<bp_str> pieces() const;
  // Fields that the rules took out and the client has to be told of.
  const std::vector<std::string>& dropped() const { return dropped_; }

 private:
  void name_model(const bp_request& request);
  void ask_for_usage(const bp_buffer& body);
  void edit_options(std::string_view options);
  void insert_member(std::string member);

  std::string_view body_;
  std::size_t first_member_ = 0;  // just behind the opening brace
  bool is_emptied_ = false;       // by the rules
  std::vector<TextEdit> edits_;   // by offset, not overlapping
  std::vector<std::string> dropped_;
};

// `text` as a JSON string, quotes included.
std::string json_string(std::string_view text);

}  // namespace backplane::dialect
