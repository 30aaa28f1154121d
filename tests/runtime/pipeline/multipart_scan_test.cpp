// SPDX-License-Identifier: Apache-2.0
// Forms, well and badly made, each at every split.
#include "runtime/pipeline/multipart_scan.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/runtime/pipeline/form_text.hpp"
#include "tests/runtime/pipeline/recorded_parts.hpp"

namespace backplane {
namespace {

using test::PartRecorder;
using test::Parts;

struct Outcome {
  std::string fault;  // empty: taken
  Parts parts;
};

bool operator==(const Outcome& a, const Outcome& b) {
  return a.fault == b.fault && (a.parts == b.parts || !a.fault.empty());
}
std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << '"' << outcome.fault << '"';
  for (const std::string& part : outcome.parts) out << " [" << part << ']';
  return out;
}

Outcome scan(const std::string& boundary, const std::vector<std::string_view>& pieces) {
  PartRecorder recorder;
  MultipartScan multipart(boundary, recorder);
  Status status = ok();
  for (const std::string_view piece : pieces) {
    const std::vector<char> own(piece.begin(), piece.end());  // gone before the next comes
    if (status) status = multipart.feed({own.data(), own.size()});
  }
  if (status) status = multipart.finish();
  return {status ? "" : status.error().message, recorder.parts};
}

// The outcome of the whole form, which is that of every split in two and of single bytes.
Outcome scan_every_way(const std::string& boundary, std::string_view form) {
  const Outcome whole = scan(boundary, {form});
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < form.size(); ++at) bytes.push_back(form.substr(at, 1));
  EXPECT_EQ(scan(boundary, bytes), whole);
  const std::size_t step = form.size() > 4096 ? form.size() / 499 : 1;
  for (std::size_t at = 1; at < form.size(); at += step) {
    const Outcome split = scan(boundary, {form.substr(0, at), form.substr(at)});
    EXPECT_EQ(split, whole) << "split at " << at;
  }
  return whole;
}

struct Case {
  const char* name;
  std::string form;
  std::string fault;  // a part of the message; empty: taken
  Parts parts;
};

std::string part(std::string_view headers, std::string_view content) {
  return "--XX\r\n" + std::string(headers) + "\r\n\r\n" + std::string(content) + "\r\n";
}
const std::string kEnd = test::kFormEnd;
const std::string kA = R"(Content-Disposition: form-data; name="a")";

std::vector<Case> cases() {
  return {
      {"a field and a file",
       test::field("a", "1") + test::file("b", "2") + kEnd,
       "",
       {"a=1", "b(file)=2"}},
      {"no part", kEnd, "", {}},
      {"empty content", test::field("a", "") + kEnd, "", {"a="}},
      {"blank lines before", "\r\n\r\n" + test::field("a", "1") + kEnd, "", {"a=1"}},
      {"a preamble", "hello\r\n" + test::field("a", "1") + kEnd, "", {"a=1"}},
      {"an epilogue", test::field("a", "1") + "--XX--\r\nbye --XX not", "", {"a=1"}},
      {"no line end behind the last boundary", test::field("a", "1") + "--XX--", "", {"a=1"}},
      {"half a line end behind it", test::field("a", "1") + "--XX--\r", "", {"a=1"}},
      {"space behind boundaries", "--XX \t\r\n" + kA + "\r\n\r\n1\r\n--XX-- \r\n", "", {"a=1"}},
      {"line ends inside", test::field("a", "\r\n\r\n\r") + kEnd, "", {"a=\r\n\r\n\r"}},
      {"nearly a boundary",
       test::field("a", "\r\n--X\r\n--XXq\r\n--XX-x\r\n--XX\rx\r\n--XX y\r\n-XX") + kEnd,
       "",
       {"a=\r\n--X\r\n--XXq\r\n--XX-x\r\n--XX\rx\r\n--XX y\r\n-XX"}},
      {"a boundary in a line",
       test::field("a", "x--XX\r\ny\n--XX\nz") + kEnd,
       "",
       {"a=x--XX\r\ny\n--XX\nz"}},
      {"every byte that is none of ours",
       test::field("a", std::string("\0\x01\xFF\x7F\"%:;", 8)) + kEnd,
       "",
       {"a=" + std::string("\0\x01\xFF\x7F\"%:;", 8)}},
      {"names without quotes",
       part("content-disposition:form-data;name=a;filename=b", "1") + kEnd,
       "",
       {"a(file)=1"}},
      {"an extended file name",
       part("Content-Disposition: form-data; name=a; filename*=UTF-8''b", "1") + kEnd,
       "",
       {"a(file)=1"}},
      {"a Windows path", part(kA + R"(; filename="C:\t\a.wav")", "1") + kEnd, "", {"a(file)=1"}},
      {"a coded part",
       part(kA + "\r\nContent-Transfer-Encoding: base64", "MQ==") + kEnd,
       "",
       {"a(coded)=MQ=="}},
      {"a plain encoding",
       part(kA + "\r\nContent-Transfer-Encoding: Binary", "1") + kEnd,
       "",
       {"a=1"}},
      {"other headers", part("X-Any!: \xC3\xA9\r\n" + kA, "1") + kEnd, "", {"a=1"}},

      {"nothing", "", "has not the boundary", {}},
      {"another boundary", "--YY\r\n\r\n--YY--\r\n", "has not the boundary", {}},
      {"only a preamble and an end", "hello\r\n--XX--\r\n", "does not begin with the boundary", {}},
      {"no end", test::field("a", "1"), "ends before its closing boundary", {}},
      {"an end without dashes", test::field("a", "1") + "--XX\r\n", "ends before", {}},
      {"cut in a header", "--XX\r\nContent-Dispo", "ends before", {}},
      {"bytes behind the end", test::field("a", "1") + "--XX--x", "bytes follow", {}},
      {"bytes behind its line", test::field("a", "1") + "--XX--\rx", "bytes follow", {}},
      {"no disposition", part("Content-Type: text/plain", "1") + kEnd, "has no Content-Disp", {}},
      {"no headers", "--XX\r\n\r\n1\r\n" + kEnd, "has no Content-Disposition", {}},
      {"two dispositions", part(kA + "\r\n" + kA, "1") + kEnd, "two Content-Disposition", {}},
      {"an attachment",
       part("Content-Disposition: attachment; name=a", "1") + kEnd,
       "form-data",
       {}},
      {"no name", part("Content-Disposition: form-data; filename=a", "1") + kEnd, "name=", {}},
      {"two names", part(kA + "; name=model", "1") + kEnd, "name: given twice", {}},
      {"an escaped name",
       part(R"(Content-Disposition: form-data; name="mo\del")", "1") + kEnd,
       "without escapes",
       {}},
      {"an extended name", part(kA + "; name*=UTF-8''model", "1") + kEnd, "without escapes", {}},
      {"a quote behind a backslash",
       part(kA + R"(; filename="a\"; x="b")", "1") + kEnd,
       "behind a backslash",
       {}},
      {"an open quote", part(kA + R"(; filename="a)", "1") + kEnd, "not closed", {}},
      {"no semicolon", part(kA + " filename=b", "1") + kEnd, "expected \";\"", {}},
      {"a parameter without a value", part(kA + "; filename", "1") + kEnd, "name=value", {}},
      {"no colon", part("Content-Disposition form-data; name=a", "1") + kEnd, "name: value", {}},
      {"space before the colon",
       part("Content-Disposition : form-data; name=a", "1") + kEnd,
       "name: value",
       {}},
      {"a folded header", part("X: y\r\n z\r\n" + kA, "1") + kEnd, "name: value", {}},
      {"a bare LF", "--XX\r\n" + kA + "\n\r\n1\r\n" + kEnd, "CRLF", {}},
      {"a bare CR",
       part("Content-Disposition: form-data; n\rame=a", "1") + kEnd,
       "name: value",
       {}},
      {"a zero byte", part(kA + std::string("; x=\0", 5), "1") + kEnd, "name: value", {}},
      {"huge headers", part("X: " + std::string(kPartHeadMaxBytes, 'x'), "1") + kEnd, "8192", {}},
      {"headers that never end", "--XX\r\nX: " + std::string(kPartHeadMaxBytes, 'x'), "8192", {}},
      {"a long preamble", std::string(kFormMarginMaxBytes + 1, 'x'), "does not begin", {}},
      {"a long epilogue", kEnd + std::string(kFormMarginMaxBytes, 'x'), "bytes follow", {}},
      {"much space", "--XX" + std::string(kFormPaddingMaxBytes + 1, ' '), "too much space", {}},
  };
}

TEST(MultipartScan, GivesThePartsHoweverTheFormIsSplit) {
  for (const Case& given : cases()) {
    SCOPED_TRACE(given.name);
    const Outcome outcome = scan_every_way("XX", given.form);
    EXPECT_EQ(outcome.fault.empty(), given.fault.empty()) << outcome.fault;
    EXPECT_NE(outcome.fault.find(given.fault), std::string::npos) << outcome.fault;
    if (given.fault.empty()) {
      EXPECT_EQ(outcome.parts, given.parts);
    }
  }
}

TEST(MultipartScan, BoundsPartsAndHeaders) {
  std::string headers = kA;
  for (std::size_t i = 1; i < kPartHeadersMax; ++i) headers += "\r\nX: y";
  EXPECT_EQ(scan("XX", {part(headers, "") + kEnd}).fault, "");
  EXPECT_NE(scan("XX", {part(headers + "\r\nX: y", "") + kEnd}).fault.find("more than 32"),
            std::string::npos);
  std::string form;
  for (std::size_t i = 0; i < kPartsMax; ++i) form += test::field("a", "");
  EXPECT_EQ(scan("XX", {form + kEnd}).fault, "");
  EXPECT_NE(scan("XX", {form + test::field("a", "") + kEnd}).fault.find("more than 1000 parts"),
            std::string::npos);
}

TEST(MultipartScan, TellsWhereContentBegins) {
  PartRecorder recorder;
  MultipartScan multipart("XX", recorder);
  const std::string form = test::file("f", "abc") + test::field("model", "m1") + kEnd;
  for (const char byte : form) ASSERT_TRUE(multipart.feed({&byte, 1}));
  ASSERT_EQ(recorder.offsets.size(), 2U);
  EXPECT_EQ(form.substr(recorder.offsets[0], 3), "abc");
  EXPECT_EQ(form.substr(recorder.offsets[1], 2), "m1");
}

TEST(MultipartScan, GivesTheSameForEveryRandomSplit) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  static const std::string kPieces[] = {
      "--XX",    "--XX--", "\r\n", "\r", "\n", "-", " ", "x", kA, "\r\n--XX\r\n" + kA + "\r\n\r\n",
      "\r\n\r\n"};
  for (int round = 0; round < 3000; ++round) {
    std::string form = round % 2 == 0 ? "--XX\r\n" + kA + "\r\n\r\n" : "";
    for (std::size_t count = random() % 20; count > 0; --count) {
      form += kPieces[random() % std::size(kPieces)];
    }
    form += round % 3 == 0 ? "\r\n--XX--\r\n" : "";
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < form.size();) {
      const std::size_t size = 1 + random() % 7;
      pieces.push_back(std::string_view(form).substr(at, size));
      at += size;
    }
    ASSERT_EQ(scan("XX", pieces), scan("XX", {form})) << "round " << round;
  }
}

struct TypeCase {
  std::string type;
  std::string boundary;  // empty: refused
};

TEST(MultipartScan, ReadsTheBoundaryOfAContentType) {
  const std::string most(70, 'b');
  for (const TypeCase& given : std::vector<TypeCase>{
           {"multipart/form-data; boundary=XX", "XX"},
           {"multipart/form-data;boundary=\"X X\"", "X X"},
           {"Multipart/Form-Data; charset=utf-8; BOUNDARY=----a;", "----a"},
           {"multipart/form-data; boundary=\"a'()+_,-./:=?b\"", "a'()+_,-./:=?b"},
           {"multipart/form-data; boundary=a=b", "a=b"},
           {"multipart/form-data; boundary=" + most, most},
           {"multipart/form-data; boundary=" + most + "b", ""},
           {"multipart/form-data", ""},
           {"multipart/form-data; boundary=", ""},
           {"multipart/form-data; boundary=\"\"", ""},
           {"multipart/form-data; boundary=\"a ", ""},
           {"multipart/form-data; boundary=\"a \"", ""},
           {"multipart/form-data; boundary=a\"b", ""},
           {"multipart/form-data; boundary=a@b", ""},
           {"multipart/form-data; boundary=a; boundary=b", ""},
           {"multipart/form-data; boundary", ""},
       }) {
    const Result<std::string> boundary = read_boundary_of(given.type);
    EXPECT_EQ(boundary ? *boundary : "", given.boundary) << given.type;
    EXPECT_TRUE(is_form_data(given.type)) << given.type;
    if (!boundary) {
      EXPECT_EQ(boundary.error().code, Code::kInvalidArgument);
      EXPECT_NE(boundary.error().message.find("content-type: "), std::string::npos);
    }
  }
  for (const char* type : {"", "m", "application/json", "multipart/form-dat", "multipart/mixed",
                           "multipart/form-data2; boundary=a"}) {
    EXPECT_FALSE(is_form_data(type)) << type;
  }
}

}  // namespace
}  // namespace backplane
