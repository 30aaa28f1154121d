// SPDX-License-Identifier: Apache-2.0
// Reads the responses of one connection, one after the other (RFC 9112): status, fields, and the
// body without its framing. Interim responses (1xx) are skipped. Not thread-safe.
#pragma once

#include <backplane/abi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace backplane {

class ResponseSink {
 public:
  // Borrowed. False: stop here.
  virtual bool on_head(std::uint32_t status, std::span<const bp_pair> headers) = 0;
  virtual bool on_body(std::string_view bytes) = 0;

 protected:
  ~ResponseSink() = default;
};

enum class Progress {
  kNeedMore,   // what was not consumed comes again, with more behind it
  kStopped,    // by the sink; read what was not consumed to go on
  kDone,       // what was not consumed is not of this response
  kMalformed,  // or longer than the bounds
};

class ResponseReader {
 public:
  explicit ResponseReader(ResponseSink& sink);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // Begins the response to a request; a response to HEAD has no body.
  void begin(bool to_head);
  // Sets `consumed` in every case but kMalformed.
  Progress read(std::string_view bytes, std::size_t& consumed);
  // The connection has ended: kDone, or kMalformed if the response is not complete. `truncated`:
  // the end may be an attacker's.
  Progress end(bool truncated);
  // After kDone: the connection may serve again.
  bool keeps_alive() const;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace backplane
