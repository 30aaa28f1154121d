// SPDX-License-Identifier: Apache-2.0
// Server-sent events, incrementally: bytes in, payloads out (html.spec.whatwg.org, 9.2.6). Lines
// end in LF, CRLF or CR; comments, ids, retries and events without data give nothing.
//
//   framer.feed(bytes);
//   while (auto event = framer.next()) use(event->data);
//
// Nothing is copied for an event that lies whole in one input. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::dialect {

inline constexpr std::size_t kEventMaxBytes = std::size_t{1} << 20;  // unless said otherwise

struct SseEvent {
  std::string_view data;  // the data lines, joined by LF; may be empty
  std::string_view name;  // empty: none was given
  bool is_error = false;  // named "error", or written as a field "error"
};

class SseFramer {
 public:
  // `event_max_bytes`: of a line, and of a payload.
  explicit SseFramer(std::size_t event_max_bytes = kEventMaxBytes) : max_bytes_(event_max_bytes) {}

  // `input` must stay where it is until next() has given nothing, and follow what was fed before:
  // call it only when unread() is empty, or with a copy of unread() and more behind it.
  void feed(std::string_view input) { input_ = input; }

  // The next event, or nothing when the input is used up. It is valid until the next call of next()
  // or finish(), and no longer than the input.
  std::optional<SseEvent> next();

  // The input has ended for good: the event that no blank line closed, if there is one.
  std::optional<SseEvent> finish();

  std::string_view unread() const { return input_; }

  // A line or a payload was longer than the bound; no event comes any more.
  bool overflowed() const { return overflowed_; }

 private:
  std::optional<std::string_view> next_line();
  std::string_view take_line(std::size_t length, std::size_t with_end);
  void keep_partial_line();
  void read_line(std::string_view line);
  void add_data(std::string_view value);
  void own_data();
  void begin_event();
  std::optional<SseEvent> give_event();
  void overflow();

  const std::size_t max_bytes_;
  std::string_view input_;
  std::string partial_line_;   // a line begun in an earlier input
  std::string owned_;          // payload that does not lie in one input
  std::string_view borrowed_;  // payload that does
  std::string name_;
  bool has_data_ = false;
  bool is_owned_ = false;
  bool is_error_ = false;
  bool given_ = false;      // the event was handed out: the next line begins another
  bool at_start_ = true;    // no line read yet: a byte order mark may come
  bool skip_lf_ = false;    // the last line ended in CR at the end of an input
  bool line_kept_ = false;  // the line being read is partial_line_, not part of the input
  bool overflowed_ = false;
};

}  // namespace backplane::dialect
