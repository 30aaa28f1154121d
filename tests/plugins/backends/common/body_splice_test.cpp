// SPDX-License-Identifier: Apache-2.0
#include "common/body_splice.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {
namespace {

constexpr std::uint32_t kStream = BP_REQUEST_STREAM;
constexpr std::uint32_t kOptions = BP_REQUEST_STREAM | BP_REQUEST_STREAM_OPTIONS;

// The host's side: flags as given, the model's place found by its text.
struct Given {
  Given(std::string_view text, std::string_view model, std::uint32_t flags,
        std::uint32_t padding = 0)
      : bytes(std::string(text) + std::string(padding, '\0')) {
    request.struct_size = sizeof(request);
    request.flags = flags;
    request.model = str(model);
    request.body.data = bytes.data();
    request.body.size = text.size();
    request.body.padding = padding;
    const std::size_t at = text.find("\"old\"");
    if (at != std::string_view::npos) {
      request.model_offset = at;
      request.model_size = 5;
    }
  }
  std::string bytes;
  bp_request request{};
};

std::string joined(const BodySplice& splice) {
  std::string text;
  for (const bp_str& piece : splice.pieces()) text += view(piece);
  return text;
}

struct Case {
  const char* name;
  std::string_view body;
  std::string_view model;
  std::uint32_t flags;
  bool ask_usage;
  std::string_view sent;
};

TEST(BodySplice, ChangesTheModelAndTheUsageAndNothingElse) {
  const std::vector<Case> cases = {
      {"model", R"({"model":"old","a":1})", "new", 0, false, R"({"model":"new","a":1})"},
      {"model is last", R"({ "a":[1, 2] , "model" : "old"})", "x/y:z", 0, false,
       R"({ "a":[1, 2] , "model" : "x/y:z"})"},
      {"same model", R"({"model":"old"})", "old", 0, false, R"({"model":"old"})"},
      {"no model to set", R"({"model":"old"})", "", 0, false, R"({"model":"old"})"},
      {"escaped", R"({"model":"old"})", "a\"b\\c\n\x01", 0, false,
       R"({"model":"a\"b\\c\u000a\u0001"})"},
      {"utf-8", R"({"model":"old"})", "mod\xC3\xA8le", 0, false, "{\"model\":\"mod\xC3\xA8le\"}"},
      {"body names none", R"({"a":1})", "new", 0, false, R"({"model":"new","a":1})"},
      {"empty body object", " { } ", "new", 0, false, R"( {"model":"new" } )"},
      {"usage", R"({"model":"old","stream":true})", "new", kStream, true,
       R"({"stream_options":{"include_usage":true},"model":"new","stream":true})"},
      {"usage only", "\n {\"stream\":true}", "", kStream, true,
       "\n {\"stream_options\":{\"include_usage\":true},\"stream\":true}"},
      {"model and usage into an empty object", "{}", "new", kStream, true,
       R"({"stream_options":{"include_usage":true},"model":"new"})"},
      {"options are null", R"({"model":"old","stream_options":null,"a":1})", "new", kOptions, true,
       R"({"model":"new","stream_options":{"include_usage":true},"a":1})"},
      {"options are empty", R"({"stream_options":{ },"model":"old"})", "new", kOptions, true,
       R"({"stream_options":{"include_usage":true },"model":"new"})"},
      {"usage was refused", R"({"stream_options":{"include_usage": false },"model":"old"})", "new",
       kOptions, true, R"({"stream_options":{"include_usage": true },"model":"new"})"},
      {"usage is null", R"({"stream_options":{"include_usage":null},"model":"old"})", "new",
       kOptions, true, R"({"stream_options":{"include_usage":true},"model":"new"})"},
      {"other options stay", R"({"stream_options":{"include_obfuscation":false}})", "", kOptions,
       true, R"({"stream_options":{"include_usage":true,"include_obfuscation":false}})"},
      {"options deeper are not ours",
       R"({"messages":[{"stream_options":null}],"stream_options":{},"model":"old"})", "new",
       kOptions, true,
       R"({"messages":[{"stream_options":null}],"stream_options":{"include_usage":true},)"
       R"("model":"new"})"},
      {"options of another kind stay", R"({"stream_options":5})", "", kOptions, true,
       R"({"stream_options":5})"},
      {"nobody asks", R"({"model":"old","stream":true})", "new", kStream, false,
       R"({"model":"new","stream":true})"},
  };
  for (const Case& given : cases) {
    for (const std::uint32_t padding : {0U, 64U}) {
      const Given host(given.body, given.model, given.flags, padding);
      const Result<BodySplice> splice = BodySplice::make(host.request, given.ask_usage);
      ASSERT_TRUE(splice) << given.name;
      EXPECT_EQ(joined(*splice), given.sent) << given.name;
    }
  }
}

TEST(BodySplice, BorrowsTheBytesItDoesNotChange) {
  const Given host(R"({"model":"old","messages":"a long text"})", "new", kStream);
  const Result<BodySplice> splice = BodySplice::make(host.request, true);
  ASSERT_TRUE(splice);
  const std::vector<bp_str> pieces = splice->pieces();
  ASSERT_EQ(pieces.size(), 5U);
  EXPECT_EQ(pieces[0].data, host.bytes.data());
  EXPECT_EQ(pieces[4].data, host.bytes.data() + host.request.model_offset + 5);
}

TEST(BodySplice, RefusesWhatIsNoObject) {
  for (const std::string_view body : {"", "  ", "[]", "\"a\"", "null"}) {
    const Given host(body, "new", kStream);
    const Result<BodySplice> splice = BodySplice::make(host.request, true);
    ASSERT_FALSE(splice) << body;
    EXPECT_EQ(splice.error().code, Code::kInvalidArgument);
  }
}

TEST(BodySplice, NamesTheModelInAForm) {
  const std::string before = "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
  const std::string form = before + "old\r\n--X\r\n";
  struct FormCase {
    std::string_view model;
    std::string sent;
  };
  for (const FormCase& given : {FormCase{"a/b\"c", before + "a/b\"c\r\n--X\r\n"},
                                FormCase{"old", form}, FormCase{"", form}}) {
    Given request(form, given.model, 0);
    request.request.model_offset = before.size();
    request.request.model_size = 3;
    const Result<BodySplice> splice = BodySplice::make_form(request.request);
    ASSERT_TRUE(splice);
    EXPECT_EQ(joined(*splice), given.sent);
  }
}

TEST(BodySplice, RefusesAFormItCannotName) {
  for (const auto& [model, size] :
       std::vector<std::pair<std::string_view, std::uint64_t>>{{"m", 0}, {"a\r\n--X--", 3}}) {
    Given request("old", model, 0);
    request.request.model_size = size;
    const Result<BodySplice> splice = BodySplice::make_form(request.request);
    ASSERT_FALSE(splice);
    EXPECT_EQ(splice.error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace backplane::dialect
