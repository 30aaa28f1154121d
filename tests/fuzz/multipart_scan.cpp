// SPDX-License-Identifier: Apache-2.0
// A form gives the same parts and fields however its bytes come, and the model stands where it is
// said to stand.
#include "runtime/pipeline/form_scan.hpp"

#include <string>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

constexpr char kType[] = "multipart/form-data; boundary=X";

class Recorder final : public FormVisitor {
 public:
  std::string text;

 private:
  Status on_part(const FormPart& part) override {
    expect(!open_, "a part inside a part");
    open_ = true;
    text += "\n[" + part.name + (part.is_file ? "|file|" : "|") + std::to_string(part.offset) + "]";
    return ok();
  }
  Status on_content(std::string_view bytes) override {
    expect(open_ && !bytes.empty(), "content outside of a part, or none");
    text += bytes;
    return ok();
  }
  Status on_part_end() override {
    expect(open_, "the end of no part");
    open_ = false;
    return ok();
  }
  bool open_ = false;
};

// What one way of feeding found, and what it said at the end.
struct Outcome {
  std::string parts;
  std::string fault;
};

Outcome parts_of(const Pieces& pieces, bool cut) {
  Recorder recorder;
  MultipartScan scan("X", recorder);
  Status status = ok();
  if (!cut) status = scan.feed(pieces.whole());
  pieces.each([&](std::string_view piece) {
    if (cut) status = scan.feed(std::string(piece));
    return cut && status;
  });
  if (status) status = scan.finish();
  return {status ? recorder.text : "", status ? "" : status.error().message};
}

std::string fields_of(const Pieces& pieces, bool cut) {
  const auto scan = FormScan::open(kType, {12, 40});
  Status status = ok();
  if (!cut) status = (*scan)->feed(pieces.whole());
  pieces.each([&](std::string_view piece) {
    if (cut) status = (*scan)->feed(std::string(piece));
    return cut && status;
  });
  if (status) status = (*scan)->finish();
  if (!status) return status.error().message;
  const RequestScan& found = (*scan)->found();
  expect(pieces.whole().substr(found.model_offset, found.model_size) == found.model,
         "the model stands elsewhere");
  return found.model + '|' + found.provider + '|' + std::to_string(found.stream);
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  const Pieces pieces(data, size);
  const Outcome whole = parts_of(pieces, false);
  const Outcome cut = parts_of(pieces, true);
  expect_same(whole.fault, cut.fault, "the verdict depends on where the bytes are cut");
  expect_same(whole.parts, cut.parts, "the parts depend on where the bytes are cut");
  expect_same(fields_of(pieces, false), fields_of(pieces, true),
              "the fields depend on where the bytes are cut");
  return 0;
}
