// SPDX-License-Identifier: Apache-2.0
// The part of a request's body that is still on its way, as the host's client reads it. The client
// may read for longer than the call lives: then there is nothing more to read. [loop]
#pragma once

#include <backplane/abi.h>

#include <cstdint>

namespace backplane::dialect {

class Upload {
 public:
  // `source` may be null; borrowed until detach.
  explicit Upload(const bp_body_stream* source);
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  // Null: there is nothing to read. Lives as long as this.
  const bp_body_stream* stream() const { return table_.struct_size == 0 ? nullptr : &table_; }
  // All of it was read, or there was nothing.
  bool is_over() const { return is_over_; }
  // The source is no more: who reads on is told that its sender has gone.
  void detach();

 private:
  static std::uint32_t read(void* context, bp_str* out, bp_task ready, void* argument);
  static void forget(void* context) { static_cast<Upload*>(context)->detach(); }

  const bp_body_stream* source_;
  bp_body_stream table_{};
  std::uint64_t left_bytes_;  // or BP_SIZE_UNKNOWN
  bool is_over_;
};

}  // namespace backplane::dialect
