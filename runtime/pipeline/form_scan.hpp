// SPDX-License-Identifier: Apache-2.0
// Reads of a form what the runtime needs, as request_scan.hpp does of a JSON document: the fields
// model, provider and stream. Files pass by and are never held.
#pragma once

#include "runtime/pipeline/multipart_scan.hpp"
#include "runtime/pipeline/request_scan.hpp"

#include <memory>

namespace backplane {

// [any-thread] One form; fed in order.
class FormScan final : private FormVisitor {
 public:
  // INVALID_ARGUMENT where the content type names no boundary.
  static Result<std::unique_ptr<FormScan>> open(std::string_view content_type,
                                                const ScanLimits& limits);
  FormScan(const FormScan&) = delete;
  FormScan& operator=(const FormScan&) = delete;

  // INVALID_ARGUMENT, naming the field or what is wrong with the form: the fields above may be
  // given once, not as files, and provider only before the model.
  Status feed(std::string_view piece) { return multipart_.feed(piece); }
  Status finish() const { return multipart_.finish(); }

  // What was met so far; model_offset counts from the form's begin.
  const RequestScan& found() const { return found_; }
  bool has_model() const { return found_.model_size != 0; }

 private:
  enum Field : std::size_t { kModel, kProvider, kStream, kOther };

  FormScan(std::string_view boundary, const ScanLimits& limits);
  Status on_part(const FormPart& part) override;
  Status on_content(std::string_view bytes) override;
  Status on_part_end() override;
  Status read_model();
  Status read_stream();

  MultipartScan multipart_;
  const std::size_t value_max_bytes_;
  RequestScan found_;
  Field field_ = kOther;
  bool seen_[3] = {};
  std::uint64_t offset_ = 0;
  std::string value_;
};

}  // namespace backplane
