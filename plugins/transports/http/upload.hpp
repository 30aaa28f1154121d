// SPDX-License-Identifier: Apache-2.0
// The part of a form that is still on its way: the framing fills it, the host or a backend reads.
// All [loop].
#pragma once

#include "framing.hpp"

#include <backplane/abi.h>

#include <string>

namespace backplane::http {

// What may wait to be read before the sender is asked to wait.
inline constexpr std::size_t kUploadHeldBytes = 256 * 1024;

class Upload {
 public:
  // `size` of what is to come, or BP_SIZE_UNKNOWN. The framing is told of what has
  // been read.
  const bp_body_stream* open(Framing& framing, std::uint64_t size);
  void reset();

  // Append to it, then say so.
  std::string& incoming() { return incoming_; }
  void on_incoming() { wake(); }
  void end();
  void fail();  // wakes nobody: the call is released next

  std::size_t held_bytes() const { return incoming_.size() + lent_.size(); }

 private:
  std::uint32_t read(bp_str* out, bp_task ready, void* argument);
  void wake();

  bp_body_stream stream_{};
  Framing* framing_ = nullptr;
  std::string incoming_;
  std::string lent_;  // to the reader, until it reads again
  bp_task ready_ = nullptr;
  void* argument_ = nullptr;
  bool ended_ = false;
  bool failed_ = false;
};

}  // namespace backplane::http
