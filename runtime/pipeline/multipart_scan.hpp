// SPDX-License-Identifier: Apache-2.0
// Reads multipart/form-data (RFC 7578, 2046) in pieces of any size and holds none of it but one
// part's headers. Strict where readers differ, so that no server behind this one sees other fields:
// lines of headers end in CRLF and are not folded, each part has one name, written without escapes.
#pragma once

#include <backplane/result.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace backplane {

inline constexpr std::size_t kPartsMax = 1000;
inline constexpr std::size_t kPartHeadersMax = 32;
inline constexpr std::size_t kPartHeadMaxBytes = 8192;    // all headers of one part
inline constexpr std::size_t kFormPaddingMaxBytes = 256;  // behind a boundary
inline constexpr std::size_t kFormMarginMaxBytes = 4096;  // before the first part, after the last

struct FormPart {
  std::string name;
  bool is_file = false;      // it has a filename
  bool is_encoded = false;   // base64 or the like: its content does not stand for itself
  std::uint64_t offset = 0;  // of its content, from the form's begin
};

// Who is told of the parts. An error ends the scan.
class FormVisitor {
 public:
  virtual ~FormVisitor() = default;
  virtual Status on_part(const FormPart& part) = 0;
  // The next bytes of the part's content, borrowed.
  virtual Status on_content(std::string_view bytes) = 0;
  virtual Status on_part_end() = 0;
};

class MultipartScan {
 public:
  // `visitor` outlives this. After an error neither may be called again.
  MultipartScan(std::string_view boundary, FormVisitor& visitor);

  // INVALID_ARGUMENT, naming what is wrong, or the visitor's error.
  Status feed(std::string_view piece);
  // The form has ended: there must have been its closing boundary.
  Status finish() const;

 private:
  enum class State { kPreamble, kBoundary, kHead, kContent, kEpilogue };

  Status step(std::string_view& piece);
  Status read_content(std::string_view& piece);
  Status read_boundary(std::string_view& piece);
  Status read_head(std::string_view& piece);
  Status read_epilogue(std::string_view& piece);
  void take(std::string_view& piece, std::size_t size);
  Status give(std::string_view bytes);
  Status no_boundary();
  Status begin_part();
  Status end_form();
  Status read_header(std::string_view line);
  Status read_disposition(std::string_view value);
  Status begin_content();

  const std::string delimiter_;  // CRLF, two dashes, the boundary
  FormVisitor& visitor_;
  State state_ = State::kPreamble;
  State before_ = State::kPreamble;  // what the boundary being read ends
  std::size_t matched_;              // bytes of the delimiter met, and not given
  std::string rest_;                 // behind the delimiter, up to what shows that it is one
  std::string line_;
  FormPart part_;
  bool has_disposition_ = false;
  std::size_t headers_ = 0;
  std::size_t head_bytes_ = 0;
  std::size_t parts_ = 0;
  std::size_t margin_bytes_ = 0;
  bool is_preamble_blank_ = true;
  std::uint64_t position_ = 0;
};

// Of the content type of a form. INVALID_ARGUMENT, naming what is wrong.
Result<std::string> read_boundary_of(std::string_view content_type);

// `content_type` is multipart/form-data, whatever its parameters.
bool is_form_data(std::string_view content_type);

}  // namespace backplane
