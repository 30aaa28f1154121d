// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/form_scan.hpp"

namespace backplane {
namespace {

constexpr std::string_view kNames[] = {"model", "provider", "stream"};

Error bad_field(std::string_view name, std::string_view message) {
  return {Code::kInvalidArgument, std::string(name) + ": " + std::string(message),
          "INVALID_REQUEST", 400, 0};
}

}  // namespace

Result<std::unique_ptr<FormScan>> FormScan::open(std::string_view content_type,
                                                 const ScanLimits& limits) {
  const Result<std::string> boundary = read_boundary_of(content_type);
  if (!boundary) return boundary.error();
  return std::unique_ptr<FormScan>(new FormScan(*boundary, limits));
}

FormScan::FormScan(std::string_view boundary, const ScanLimits& limits)
    : multipart_(boundary, *this), value_max_bytes_(limits.model_name_bytes_max) {}

Status FormScan::on_part(const FormPart& part) {
  field_ = kOther;
  for (const Field field : {kModel, kProvider, kStream}) {
    if (part.name == kNames[field]) field_ = field;
  }
  if (field_ == kOther) return ok();
  if (seen_[field_]) return bad_field(part.name, "given twice");
  if (part.is_file) return bad_field(part.name, "expected a field, found a file");
  if (part.is_encoded) return bad_field(part.name, "send it without Content-Transfer-Encoding");
  if (field_ == kProvider && has_model()) {
    return bad_field(part.name, "in a form it must come before the model");
  }
  seen_[field_] = true;
  offset_ = part.offset;
  value_.clear();
  return ok();
}

Status FormScan::on_content(std::string_view bytes) {
  if (field_ == kOther) return ok();
  if (bytes.size() > value_max_bytes_ - value_.size()) {
    return bad_field(kNames[field_], "the value is too long");
  }
  value_ += bytes;
  return ok();
}

Status FormScan::on_part_end() {
  if (field_ == kModel) return read_model();
  if (field_ == kStream) return read_stream();
  if (field_ == kProvider) found_.provider.pinned = value_;
  return ok();
}

Status FormScan::read_model() {
  if (value_.empty()) return bad_field("model", "expected a name, found nothing");
  found_.model = value_;
  found_.model_offset = offset_;
  found_.model_size = value_.size();
  return ok();
}

Status FormScan::read_stream() {
  if (value_ != "true" && value_ != "false") return bad_field("stream", "expected true or false");
  found_.stream = value_ == "true";
  return ok();
}

}  // namespace backplane
