// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/multipart_scan.hpp"

#include "runtime/pipeline/header_value.hpp"

#include <algorithm>
#include <utility>

namespace backplane {
namespace {

constexpr std::string_view kFormData = "multipart/form-data";
constexpr std::size_t kBoundaryMaxBytes = 70;

Error malformed(std::string message) {
  return {Code::kInvalidArgument, "the form: " + std::move(message), "INVALID_REQUEST", 400, 0};
}

// RFC 2046, 5.1.1.
bool is_boundary(std::string_view text) {
  static constexpr std::string_view kMarks = "'()+_,-./:=? ";
  if (text.empty() || text.size() > kBoundaryMaxBytes || text.back() == ' ') return false;
  return std::all_of(text.begin(), text.end(), [](char byte) {
    const char lower = static_cast<char>(byte | 0x20);
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
           kMarks.find(byte) != std::string_view::npos;
  });
}

bool is_control(char byte) {
  return (static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7F;
}

bool is_plain_encoding(std::string_view encoding) {
  return encoding == "7bit" || encoding == "8bit" || encoding == "binary";
}

}  // namespace

bool is_form_data(std::string_view content_type) {
  if (content_type.size() < kFormData.size() || (content_type[0] | 0x20) != 'm') return false;
  const std::string name = lower_case(content_type.substr(0, content_type.find_first_of("; \t")));
  return name == kFormData;
}

Result<std::string> read_boundary_of(std::string_view content_type) {
  const Result<HeaderValue> header = read_header_value(content_type);
  if (!header) return malformed("content-type: " + header.error().message);
  const std::string* boundary = find_parameter(*header, "boundary");
  if (boundary == nullptr) return malformed("content-type: it names no boundary");
  if (!is_boundary(*boundary)) {
    return malformed(
        "content-type: expected a boundary of 1 to 70 letters, digits and '()+_,-./:=?");
  }
  return *boundary;
}

// The form's first boundary has no line end before it.
MultipartScan::MultipartScan(std::string_view boundary, FormVisitor& visitor)
    : delimiter_("\r\n--" + std::string(boundary)), visitor_(visitor), matched_(2) {}

Status MultipartScan::feed(std::string_view piece) {
  while (!piece.empty()) {
    if (const Status status = step(piece); !status) return status;
  }
  return ok();
}

Status MultipartScan::step(std::string_view& piece) {
  switch (state_) {
    case State::kPreamble:
    case State::kContent:
      return read_content(piece);
    case State::kBoundary:
      return read_boundary(piece);
    case State::kHead:
      return read_head(piece);
    case State::kEpilogue:
      break;
  }
  return read_epilogue(piece);
}

Status MultipartScan::finish() const {
  if (state_ == State::kEpilogue) return ok();
  if (parts_ == 0) return malformed("it has not the boundary that content-type names");
  return malformed("it ends before its closing boundary");
}

void MultipartScan::take(std::string_view& piece, std::size_t size) {
  piece.remove_prefix(size);
  position_ += size;
}

// A delimiter begins with CR and has no other: where it breaks off it can only begin anew.
Status MultipartScan::read_content(std::string_view& piece) {
  if (matched_ == 0) {
    const std::size_t size = std::min(piece.find('\r'), piece.size());
    const std::string_view bytes = piece.substr(0, size);
    if (size < piece.size()) matched_ = 1;
    take(piece, size + matched_);
    return give(bytes);
  }
  while (!piece.empty() && matched_ < delimiter_.size() && piece.front() == delimiter_[matched_]) {
    ++matched_;
    take(piece, 1);
  }
  if (matched_ == delimiter_.size()) {
    before_ = std::exchange(state_, State::kBoundary);
    rest_.clear();
    matched_ = 0;
    return ok();
  }
  if (piece.empty()) return ok();
  return give(std::string_view(delimiter_).substr(0, std::exchange(matched_, 0)));
}

Status MultipartScan::give(std::string_view bytes) {
  if (bytes.empty()) return ok();
  if (state_ == State::kContent) return visitor_.on_content(bytes);
  is_preamble_blank_ &= bytes.find_first_not_of("\r\n") == std::string_view::npos;
  margin_bytes_ += bytes.size();
  if (margin_bytes_ <= kFormMarginMaxBytes) return ok();
  return malformed("it does not begin with the boundary that content-type names");
}

Status MultipartScan::read_boundary(std::string_view& piece) {
  const char next = piece.front();
  if (rest_ == "-") {
    if (next != '-') return no_boundary();
    take(piece, 1);
    return end_form();
  }
  if (!rest_.empty() && rest_.back() == '\r') {
    if (next != '\n') return no_boundary();
    take(piece, 1);
    return begin_part();
  }
  const bool goes_on =
      next == '\r' || next == ' ' || next == '\t' || (next == '-' && rest_.empty());
  if (!goes_on) return no_boundary();
  rest_ += next;
  take(piece, 1);
  return rest_.size() <= kFormPaddingMaxBytes ? ok()
                                              : malformed("too much space behind a boundary");
}

// It was content that looks like one.
Status MultipartScan::no_boundary() {
  state_ = before_;
  const Status status = give(delimiter_);
  return status ? give(rest_) : status;
}

Status MultipartScan::begin_part() {
  if (before_ == State::kContent) {
    if (const Status ended = visitor_.on_part_end(); !ended) return ended;
  }
  if (++parts_ > kPartsMax) {
    return malformed("more than " + std::to_string(kPartsMax) + " parts");
  }
  state_ = State::kHead;
  part_ = FormPart();
  has_disposition_ = false;
  headers_ = 0;
  head_bytes_ = 0;
  line_.clear();
  return ok();
}

Status MultipartScan::end_form() {
  state_ = State::kEpilogue;
  margin_bytes_ = 0;
  line_.clear();
  if (before_ == State::kContent) return visitor_.on_part_end();
  if (is_preamble_blank_) return ok();
  return malformed("it does not begin with the boundary that content-type names");
}

Status MultipartScan::read_head(std::string_view& piece) {
  const std::size_t end = piece.find('\n');
  const std::size_t size = end == std::string_view::npos ? piece.size() : end + 1;
  head_bytes_ += size;
  if (head_bytes_ > kPartHeadMaxBytes) {
    return malformed("the headers of a part have more than " + std::to_string(kPartHeadMaxBytes) +
                     " bytes");
  }
  line_ += piece.substr(0, size);
  take(piece, size);
  if (end == std::string_view::npos) return ok();
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') {
    return malformed("a header of a part does not end in CRLF");
  }
  line_.resize(line_.size() - 2);
  if (line_.empty()) return begin_content();
  const Status status = read_header(line_);
  line_.clear();
  return status;
}

Status MultipartScan::read_header(std::string_view line) {
  if (++headers_ > kPartHeadersMax) {
    return malformed("more than " + std::to_string(kPartHeadersMax) + " headers of a part");
  }
  const std::size_t colon = line.find(':');
  const bool is_bad = colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
                      std::any_of(line.begin(), line.end(), is_control);
  if (is_bad) return malformed("a header of a part is not \"name: value\" on one line");
  const std::string name = lower_case(line.substr(0, colon));
  const std::string_view value = line.substr(colon + 1);
  if (name == "content-disposition") return read_disposition(value);
  if (name == "content-transfer-encoding") {
    const Result<HeaderValue> encoding = read_header_value(value);
    part_.is_encoded |= !encoding || !is_plain_encoding(encoding->value);
  }
  return ok();
}

Status MultipartScan::read_disposition(std::string_view value) {
  if (std::exchange(has_disposition_, true)) return malformed("a part has two Content-Disposition");
  const Result<HeaderValue> disposition = read_header_value(value);
  if (!disposition) return malformed("Content-Disposition: " + disposition.error().message);
  const std::string* name = find_parameter(*disposition, "name");
  if (disposition->value != "form-data" || name == nullptr) {
    return malformed("Content-Disposition: expected form-data; name=\"...\"");
  }
  const bool is_escaped = name->find('\\') != std::string::npos;
  if (is_escaped || find_parameter(*disposition, "name*") != nullptr) {
    return malformed("Content-Disposition: write the name without escapes");
  }
  part_.name = *name;
  part_.is_file = find_parameter(*disposition, "filename") != nullptr ||
                  find_parameter(*disposition, "filename*") != nullptr;
  return ok();
}

Status MultipartScan::begin_content() {
  if (!has_disposition_) return malformed("a part has no Content-Disposition");
  state_ = State::kContent;
  matched_ = 0;
  part_.offset = position_;
  return visitor_.on_part(part_);
}

// The closing boundary ends its line, and nobody reads on.
Status MultipartScan::read_epilogue(std::string_view& piece) {
  margin_bytes_ += piece.size();
  if (margin_bytes_ > kFormMarginMaxBytes) return malformed("bytes follow its closing boundary");
  for (const char byte : piece) {
    if (line_.size() == 2) break;
    if (line_.empty() && (byte == ' ' || byte == '\t')) continue;
    line_ += byte;
    if (line_ != "\r" && line_ != "\r\n") return malformed("bytes follow its closing boundary");
  }
  take(piece, piece.size());
  return ok();
}

}  // namespace backplane
