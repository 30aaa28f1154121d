// SPDX-License-Identifier: Apache-2.0
// The part of a request's body that is still on its way: read piece by piece, and framed as the
// request's head says (RFC 9112, sections 6.2 and 7.1). All [loop].
#pragma once

#include <backplane/http.h>
#include <sys/uio.h>

#include <array>
#include <backplane/result.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace backplane {

// A chunk's size and its line break.
class ChunkLine {
 public:
  std::string_view write(std::uint64_t size);

 private:
  std::array<char, 18> text_;
};

class Upload {
 public:
  enum class Next : std::uint8_t {
    kPieces,  // appended
    kWait,    // `ready` is called when there is more
    kEnd,     // all has been given
    kBroken,  // error() says why
  };

  // Null: there is nothing to read. Otherwise it is told to forget this reader, once, by stop.
  void begin(const bp_body_stream* stream, bp_task ready, void* argument);
  void stop();
  // Likewise, but says nothing: the stream may be gone.
  void abandon() { stream_ = nullptr; }

  bool is_active() const { return stream_ != nullptr; }
  // Appends what comes next, framed; valid until the next call.
  Next next(std::vector<iovec>& pieces);
  // There is more to read.
  void note_ready() { waiting_ = false; }
  const Error& error() const { return error_; }

 private:
  Next take(bp_str bytes, std::vector<iovec>& pieces);
  Next end(std::vector<iovec>& pieces);
  Next broken(const char* message);
  bool is_chunked() const { return stream_->size == BP_SIZE_UNKNOWN; }

  const bp_body_stream* stream_ = nullptr;
  bp_task ready_ = nullptr;
  void* argument_ = nullptr;
  std::uint64_t left_bytes_ = 0;
  bool waiting_ = false;
  bool ended_ = false;
  ChunkLine line_;
  Error error_;
};

}  // namespace backplane
