// SPDX-License-Identifier: Apache-2.0
// A streamed chat that goes on at another backend where the first one failed in its middle: keeps
// what the client has got, makes the next request of it, and passes on what that brings as the rest
// of the same stream. For one plain text alone; all else fails as it does without this. [loop]
#pragma once

#include "runtime/pipeline/request_scan.hpp"

#include <backplane/abi.h>

#include <backplane/plugin.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace backplane {

class Continuation {
 public:
  static constexpr std::size_t kTextBytesMax = std::size_t{256} << 10;

  struct Stream {
    std::string_view id;     // of the request; all outlive this
    std::string_view model;  // its public name
    bool wants_usage = false;
    std::int64_t created_s = 0;
  };
  explicit Continuation(const Stream& stream) : stream_(stream) {}

  // What the client is about to get, of the first backend.
  void note(const bp_event& event);

  // The backend failed; `body` is the first request, `told` the usage of that backend, or null.
  // False: the text cannot be gone on with.
  bool go_on(const bp_buffer& body, const bp_usage* told);
  // Whether the text could be gone on with, as far as its backend is concerned.
  bool is_possible() const { return is_plain_ && finish_reason_.empty(); }
  bool is_under_way() const { return is_under_way_; }

  // Once under way: makes the request that of what is left. Borrows of this.
  void put_in(bp_request& request) const;

  struct Route {
    std::string_view backend;
    std::string_view model;
    std::uint32_t tries = 0;
  };
  // Answers a BP_FLOW_*.
  using Send = std::function<std::uint32_t(const bp_event&)>;
  // Passes on an event of a backend that goes on, but for USAGE and BODY; the first of each after a
  // document that names the route.
  std::uint32_t pass_on(const bp_event& event, const Route& route, const Send& send);
  // What has to be said before END.
  void finish(const bp_usage& usage, const Send& send);

  // Of all backends together: the prompt once, and every token that was written. `told` is that of
  // the present one, or null.
  bp_usage usage(const bp_usage* told) const;

 private:
  std::uint32_t text(std::string_view text, const Send& send);
  std::uint32_t finish_reason(std::string_view reason, const Send& send);
  std::uint32_t send_document(std::string_view rest, const Send& send);
  void keep(std::string_view text);
  void remember(std::string_view document);

  const Stream stream_;
  std::string text_;     // that the client has
  std::string opening_;  // of the documents of this stream; empty: it began as text
  std::string finish_reason_;
  bool is_plain_ = true;
  bool is_under_way_ = false;
  bool is_announced_ = false;  // the present backend
  BufferRef body_;
  RequestScan scan_;
  std::uint64_t pieces_ = 0;  // of text, of the present backend
  bool has_prompt_ = false;
  bp_usage before_{};  // of those that failed; its prompt where has_prompt_
};

}  // namespace backplane
