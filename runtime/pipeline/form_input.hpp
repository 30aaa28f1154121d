// SPDX-License-Identifier: Apache-2.0
// What is left of a form when its call is routed: read by one backend at a time, and scanned as it
// passes. [loop]
#pragma once

#include "runtime/pipeline/form_scan.hpp"

#include <backplane/abi.h>

#include <memory>
#include <optional>

namespace backplane {

// Where a form comes from. Borrowed; after close nothing of it is touched.
class FormInput {
 public:
  // `size`: of what `stream` still has to give.
  FormInput(const bp_body_stream& stream, std::uint64_t size, std::unique_ptr<FormScan> scan);
  ~FormInput() { close(); }
  FormInput(const FormInput&) = delete;
  FormInput& operator=(const FormInput&) = delete;

  std::uint32_t read(bp_str* out, bp_task ready, void* argument);
  // Nobody waits any more; it may be read again.
  void forget();
  // The sender is not to be asked any more: reads fail.
  void close();

  std::uint64_t size() const { return size_; }
  // Something was read: nobody else can be given the whole of it.
  bool consumed() const { return consumed_; }
  // Why a read failed, where the form or its sender was at fault.
  const std::optional<Error>& fault() const { return fault_; }
  bool wants_stream() const { return scan_->found().stream; }

 private:
  std::uint32_t check(std::string_view bytes);
  std::uint32_t finish(std::uint32_t answer);
  std::uint32_t fail(Error error);

  const bp_body_stream* stream_;
  const std::uint64_t size_;
  std::uint64_t left_bytes_;  // or BP_SIZE_UNKNOWN
  const std::unique_ptr<FormScan> scan_;
  bool consumed_ = false;
  bool ended_ = false;
  std::optional<Error> fault_;
};

// The view of it that one attempt's backend is given: valid until the attempt goes, and without
// anything to read once it is no longer the one that counts.
class AttemptInput {
 public:
  explicit AttemptInput(FormInput* input);
  AttemptInput(const AttemptInput&) = delete;
  AttemptInput& operator=(const AttemptInput&) = delete;

  const bp_body_stream* stream() const { return table_.struct_size == 0 ? nullptr : &table_; }
  void detach();

 private:
  static std::uint32_t read(void* context, bp_str* out, bp_task ready, void* argument);
  static void forget(void* context);

  FormInput* input_;
  bp_body_stream table_{};
};

}  // namespace backplane
