// SPDX-License-Identifier: Apache-2.0
// A whole answer as a client got it: the events between HEAD and END, in one piece of memory. Made
// by one call, then only read, by calls of any loop.
#pragma once

#include <backplane/abi.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace backplane {

class CachedAnswer {
 public:
  // Reads the events in order; what it gives borrows from it and from the answer.
  class Reader {
   public:
    explicit Reader(const CachedAnswer& answer) : answer_(answer) {}
    // False: there are no more.
    bool next(bp_event& event);

   private:
    std::string_view take(std::uint32_t size);
    const CachedAnswer& answer_;
    std::size_t piece_ = 0;
    std::size_t offset_ = 0;
    bp_usage usage_{};
    bp_tool_call tool_call_{};
  };

  // While it is made. Events are copied; a terminal one and HEAD are no part of it.
  void add(const bp_event& event);
  // No more is added: gives back what was reserved in vain.
  void close();

  // Memory that it takes, all told.
  std::uint64_t bytes() const;

  std::vector<std::pair<std::string, std::string>> headers;  // for the client
  std::string end;                                           // the data of END
  std::string receipt;                                       // empty: none
  bool streams = false;
  bp_usage usage{};          // of the call that made it
  std::int64_t made_ns = 0;  // monotonic

 private:
  struct Piece {
    std::uint32_t type;
    std::uint32_t index;
    std::uint32_t flags;
    std::uint32_t data;  // bytes, as all that follow
    std::uint32_t detail;
    std::uint32_t logprobs;
    std::uint32_t tool_call;  // struct, id and name; 0: none
    std::uint32_t tool_call_id;
  };
  void add_usage(const bp_event& event);
  std::uint64_t header_bytes() const;
  std::string bytes_;
  std::vector<Piece> pieces_;
};

}  // namespace backplane
