// SPDX-License-Identifier: Apache-2.0
// A form is the same however its bytes come, and its parts are where they are said to be.
#include "runtime/pipeline/multipart_scan.hpp"

#include <string>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

constexpr std::string_view kBoundary = "bound";

class Parts final : public FormVisitor {
 public:
  explicit Parts(std::string_view form) : form_(form) {}

  Status on_part(const FormPart& part) override {
    expect(!is_open_, "a part begins within a part");
    is_open_ = true;
    text += part.name + (part.is_file ? " file" : "") + (part.is_encoded ? " encoded\n" : "\n");
    expect(part.offset <= form_.size(), "a part begins behind the form");
    position_ = part.offset;
    return ok();
  }
  Status on_content(std::string_view bytes) override {
    expect(is_open_ && !bytes.empty(), "content of no part");
    expect(bytes == form_.substr(position_, bytes.size()), "content is not what stands there");
    position_ += bytes.size();
    text += bytes;
    return ok();
  }
  Status on_part_end() override {
    expect(is_open_, "an end of no part");
    is_open_ = false;
    const std::string delimiter = "\r\n--" + std::string(kBoundary);
    expect(form_.substr(position_, delimiter.size()) == delimiter, "a part ends at no boundary");
    text += "\n.\n";
    return ok();
  }
  std::string text;

 private:
  const std::string_view form_;
  std::uint64_t position_ = 0;
  bool is_open_ = false;
};

class Reading {
 public:
  explicit Reading(std::string_view form) : parts_(form), scan_(kBoundary, parts_) {}

  bool feed(std::string_view piece) {
    is_refused_ = !scan_.feed(std::string(piece));
    return !is_refused_;
  }
  std::string end() {
    if (is_refused_ || !scan_.finish()) return "refused";
    return parts_.text;
  }

 private:
  Parts parts_;
  MultipartScan scan_;
  bool is_refused_ = false;
};

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Pieces pieces(data, size);
  Reading whole(pieces.whole());
  whole.feed(pieces.whole());
  Reading cut(pieces.whole());
  pieces.each([&](std::string_view piece) { return cut.feed(piece); });
  expect_same(whole.end(), cut.end(), "the form depends on where the bytes are cut");
  const std::string_view type = pieces.whole();
  if (!backplane::is_form_data(type)) return 0;
  if (const auto boundary = backplane::read_boundary_of(type)) {
    expect(!boundary->empty() && boundary->size() <= 70, "a boundary that no form may have");
  }
  return 0;
}
