// SPDX-License-Identifier: Apache-2.0
// Forms that others check their readers with. Skipped where they are not at hand.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/detail/base64.hpp>
#include <filesystem>
#include <string>

#include "tests/runtime/pipeline/recorded_parts.hpp"

namespace backplane {
namespace {

namespace dom = simdjson::dom;
namespace base64 = boost::beast::detail::base64;
namespace fs = std::filesystem;

const fs::path kFolder =
    fs::path(BACKPLANE_SHARED_DIR) / "harness" / "conformance" / "data" / "dev" / "multipart";

std::string text_of(dom::element entry, const char* name) {
  std::string_view text;
  return entry[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::string bytes_of(dom::element entry, const char* name) {
  const std::string text = text_of(entry, name);
  std::string bytes(base64::decoded_size(text.size()), '\0');
  bytes.resize(base64::decode(bytes.data(), text.data(), text.size()).first);
  return bytes;
}

// Whether the form is taken; its parts in `parts`.
bool take(const std::string& boundary, std::string_view form, std::size_t piece,
          test::Parts& parts) {
  test::PartRecorder recorder;
  MultipartScan multipart(boundary, recorder);
  Status status = ok();
  for (std::size_t at = 0; at < form.size() && status; at += piece) {
    status = multipart.feed(form.substr(at, piece));
  }
  if (status) status = multipart.finish();
  parts = recorder.parts;
  return static_cast<bool>(status);
}

std::size_t count_of(const test::Parts& parts, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(
      parts.begin(), parts.end(),
      [&](const std::string& part) { return part.substr(0, part.find_first_of("(=")) == name; }));
}

class MultipartVectors : public ::testing::TestWithParam<std::size_t> {
 protected:
  dom::array load(const char* file) {
    dom::array list;
    EXPECT_EQ(parser_.load((kFolder / file).string()).get(list), simdjson::SUCCESS);
    return list;
  }
  void SetUp() override {
    if (!fs::exists(kFolder)) GTEST_SKIP() << "no vectors";
  }
  dom::parser parser_;
};

// Those of an API of files, where a form without its two fields is refused: here that is its
// caller's to do.
TEST_P(MultipartVectors, FormsOfOurOwn) {
  for (const dom::element entry : load("own.json")) {
    const std::string id = text_of(entry, "id");
    const std::string expect = text_of(entry, "expect");
    SCOPED_TRACE(id);
    if (!text_of(entry, "enc").empty() || text_of(entry, "body_b64").substr(0, 4) == "H4sI") {
      continue;  // compressed: large, and like those of multipart_scan_test.cpp
    }
    const std::string type = text_of(entry, "ct");
    const Result<std::string> boundary = read_boundary_of(type);
    test::Parts parts;
    const bool taken = is_form_data(type) && boundary &&
                       take(*boundary, bytes_of(entry, "body_b64"), GetParam(), parts);
    const bool has_fields = count_of(parts, "file") == 1 && count_of(parts, "purpose") == 1;
    if (expect != "safe") {
      EXPECT_EQ(taken && has_fields, expect == "accept");
    }
    if (expect == "accept") {
      const std::string content = "file(file)=" + bytes_of(entry, "content_b64");
      EXPECT_EQ(std::count(parts.begin(), parts.end(), content), 1);
    }
  }
}

TEST_P(MultipartVectors, FormsOfPythonMultipart) {
  for (const dom::element entry : load("python-multipart.json")) {
    const std::string id = text_of(entry, "id");
    if (id == "single_field_blocks") continue;  // its boundary is not that of its body
    SCOPED_TRACE(id);
    test::Parts parts;
    const bool taken =
        take(text_of(entry, "boundary"), bytes_of(entry, "body_b64"), GetParam(), parts);
    EXPECT_EQ(taken, text_of(entry, "expect") == "accept");
    if (!taken) continue;
    dom::array expected;
    ASSERT_EQ(entry["parts"].get(expected), simdjson::SUCCESS);
    ASSERT_EQ(parts.size(), expected.size());
    std::size_t at = 0;
    for (const dom::element part : expected) {
      const std::string& seen = parts[at++];
      const bool is_coded = seen.find("(coded)") != std::string::npos;  // not decoded here
      const std::string name = text_of(part, "name");
      EXPECT_EQ(seen.substr(0, name.size()), name);
      EXPECT_EQ(seen.find("(file)") != std::string::npos, text_of(part, "type") == "file");
      if (!is_coded) {
        EXPECT_EQ(seen.substr(seen.find('=') + 1), bytes_of(part, "data_b64"));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(PieceBytes, MultipartVectors,
                         ::testing::Values(1, 2, 3, 5, 7, 64, 1000, 1 << 20));

}  // namespace
}  // namespace backplane
