// SPDX-License-Identifier: Apache-2.0
// The two ends of an upload: what a transport offers, and a backend that reads it. Both check the
// rules of a bp_body_stream.
#pragma once

#include "tests/runtime/pipeline/world.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace backplane::test {

class UploadStream {
 public:
  UploadStream(World& world, std::uint64_t size = BP_SIZE_UNKNOWN);
  UploadStream(const UploadStream&) = delete;

  const bp_body_stream* table() const { return &table_; }
  void send(const std::string& bytes) { put(BP_READ_BYTES, bytes); }
  void end() { put(BP_READ_END, {}); }
  void break_off() { put(BP_READ_FAILED, {}); }
  // The transport takes it away: nobody may read it any more.
  void take_away() { gone_ = true; }

  bool waiting() const { return ready_ != nullptr; }
  std::size_t unread() const { return pieces_.size(); }

 private:
  static std::uint32_t read(void* context, bp_str* out, bp_task ready, void* argument);
  static void forget(void* context);
  void put(std::uint32_t answer, const std::string& bytes);

  World& world_;
  bp_body_stream table_;
  std::deque<std::pair<std::uint32_t, std::string>> pieces_;
  std::string current_;
  bp_task ready_ = nullptr;
  void* argument_ = nullptr;
  bool reading_ = false;
  bool gone_ = false;
};

// Reads all it is given, then answers "ok".
class ReadingBackend {
 public:
  explicit ReadingBackend(World& world) : world_(world) {}
  ReadingBackend(const ReadingBackend&) = delete;

  static const bp_backend* table();

  bool refuses = false;      // the call ends with 503 before a byte is read
  bool breaks = false;       // ... after the first bytes
  bool reads_later = false;  // only when told to
  bool ends_on_cancel = true;
  void read_now();  // every call that goes on

  struct Seen {
    std::string model, body, read;
    std::uint64_t model_offset = 0;
    std::uint64_t size = 0;  // of the stream
    bool has_stream = false;
    bool failed = false;
    bool cancelled = false;
    bool ended = false;
    std::uint32_t flags = 0;
    std::int64_t deadline_ns = 0;
  };
  std::vector<std::shared_ptr<Seen>> calls;  // shared by the test and the call

 private:
  class Call;
  static std::uint32_t submit(void* self, const bp_request* request, const bp_sink* sink,
                              bp_call** out, bp_error* error);
  World& world_;
  std::vector<Call*> live_;
};

}  // namespace backplane::test
