// SPDX-License-Identifier: Apache-2.0
// What the runtime reads of a form.
#include "runtime/pipeline/form_scan.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/runtime/pipeline/form_text.hpp"

namespace backplane {
namespace {

using test::field;
using test::file;
using test::kFormEnd;

struct Scanned {
  std::string fault;
  RequestScan found;
};

Scanned scan(const std::string& form, std::size_t piece) {
  auto opened = FormScan::open(test::kFormType, ScanLimits{});
  if (!opened) return {opened.error().message, {}};
  FormScan& scan = **opened;
  Status status = ok();
  for (std::size_t at = 0; at < form.size() && status; at += piece) {
    status = scan.feed(std::string_view(form).substr(at, piece));
  }
  if (status) status = scan.finish();
  return {status ? "" : status.error().message, scan.found()};
}

TEST(FormScan, FindsWhatTheRuntimeUses) {
  const std::string form = file("file", "\r\n--XX\rRIFF") + field("provider", "groq") +
                           field("model", "whisper-1") + field("language", "en") +
                           field("stream", "true") + kFormEnd;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, form.size()}) {
    const Scanned scanned = scan(form, piece);
    EXPECT_EQ(scanned.fault, "");
    EXPECT_EQ(scanned.found.model, "whisper-1");
    EXPECT_EQ(form.substr(scanned.found.model_offset, scanned.found.model_size), "whisper-1");
    EXPECT_EQ(scanned.found.provider.pinned, "groq");
    EXPECT_TRUE(scanned.found.stream);
  }
}

TEST(FormScan, KnowsTheModelOnceItsFieldIsOver) {
  auto opened = FormScan::open(test::kFormType, ScanLimits{});
  ASSERT_TRUE(opened);
  const std::string form = field("model", "m") + "--X";
  const std::size_t over = form.size();
  for (std::size_t at = 0; at < form.size(); ++at) {
    ASSERT_TRUE((*opened)->feed(form.substr(at, 1)));
    EXPECT_FALSE((*opened)->has_model());
  }
  EXPECT_EQ(over, form.size());
  ASSERT_TRUE((*opened)->feed("X\r\n"));
  EXPECT_TRUE((*opened)->has_model());
}

TEST(FormScan, NamesTheFieldThatIsWrong) {
  const std::string model = field("model", "m");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {model + model, "model: given twice"},
      {field("model", ""), "model: expected a name, found nothing"},
      {file("model", "m"), "model: expected a field, found a file"},
      {field("model", std::string(513, 'm')), "model: the value is too long"},
      {"--XX\r\nContent-Disposition: form-data; name=model\r\n"
       "Content-Transfer-Encoding: base64\r\n\r\nbQ==\r\n",
       "model: send it without Content-Transfer-Encoding"},
      {model + field("provider", "p"), "provider: in a form it must come before the model"},
      {field("provider", "p") + field("provider", "p"), "provider: given twice"},
      {field("stream", "1"), "stream: expected true or false"},
      {field("stream", "true") + field("stream", "true"), "stream: given twice"},
      {model + "--XX\r\nX\r\n\r\n", "the form: a header of a part is not \"name: value\" on one"},
  };
  for (const auto& [fields, fault] : cases) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
      const std::string told = scan(fields + kFormEnd, piece).fault;
      EXPECT_EQ(told.substr(0, fault.size()), fault);
    }
  }
}

TEST(FormScan, LeavesOtherFieldsAlone) {
  const Scanned scanned =
      scan(field("Model", "a") + field("model ", "b") + field("models", "c") + kFormEnd, 1000);
  EXPECT_EQ(scanned.fault, "");
  EXPECT_EQ(scanned.found.model_size, 0U);
}

TEST(FormScan, HoldsNothingOfAFile) {
  auto opened = FormScan::open(test::kFormType, ScanLimits{});
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->feed(file("file", "").substr(0, file("file", "").size() - 2)));
  const std::string block(std::size_t{1} << 20, '\r');
  for (int i = 0; i < 64; ++i) ASSERT_TRUE((*opened)->feed(block));
  EXPECT_TRUE((*opened)->feed("\r\n" + field("model", "m") + kFormEnd));
  EXPECT_TRUE((*opened)->finish());
  EXPECT_EQ((*opened)->found().model_offset, file("file", "").size() - 2 + 64 * block.size() + 2 +
                                                 field("model", "m").find("\r\n\r\n") + 4);
}

}  // namespace
}  // namespace backplane
