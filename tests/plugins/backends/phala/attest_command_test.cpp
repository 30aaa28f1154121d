// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/attestation/reason.hpp"
#include "plugins/backends/phala/commands/attest_input.hpp"
#include "plugins/backends/phala/commands/attest_text.hpp"
#include "tests/plugins/backends/common/attestation/made_report.hpp"

namespace backplane::phala {
namespace {

using namespace attestation;
namespace fs = std::filesystem;

// A file that is gone with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    std::string name = (fs::temp_directory_path() / "backplane-XXXXXX").string();
    close(mkstemp(name.data()));
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { fs::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(AttestOptions, AreReadOrRefused) {
  AttestArguments arguments;
  arguments.at = 5;
  arguments.model = "m";
  arguments.nonce = std::string(64, 'A');
  arguments.accepted = {"OutOfDate", "UpToDate"};
  const Result<ReportOptions> options = options_of(arguments);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->quote.unix_time, 5);
  EXPECT_EQ(options->nonce->at(31), 0xaa);
  EXPECT_EQ(options->quote.policy.accepted_statuses.size(), 2U);
  arguments.accepted = {"Fine"};
  EXPECT_EQ(options_of(arguments).error().code, Code::kInvalidArgument);
  arguments.accepted.clear();
  arguments.nonce = "00";
  EXPECT_EQ(options_of(arguments).error().code, Code::kInvalidArgument);
  const Result<ReportOptions> defaults = options_of({});
  EXPECT_GT(defaults->quote.unix_time, 1'700'000'000);
  EXPECT_FALSE(defaults->nonce);
  EXPECT_EQ(defaults->quote.policy.accepted_statuses, QuotePolicy().accepted_statuses);
}

TEST(AttestSource, IsReadFromAFileAsItIs) {
  const TemporaryFile file(std::string("a\0\r\nb", 5));
  AttestArguments arguments;
  arguments.source = file.path();
  ReportOptions options;
  const Result<std::string> text = read_source(arguments, options);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, std::string("a\0\r\nb", 5));
  EXPECT_FALSE(options.nonce);
  const TemporaryFile large(std::string(kReportBytesMax + 1, 'x'));
  arguments.source = large.path();
  EXPECT_FALSE(read_source(arguments, options));
  arguments.source = "/nowhere/at/all";
  EXPECT_EQ(read_source(arguments, options).error().code, Code::kNotFound);
}

TEST(CollateralShelf, FindsWhatIsForThePlatform) {
  const Collateral first = make_evidence(Recipe()).collateral;
  Recipe other;
  other.tcb_info["fmspc"] = "00806F050000";
  const TemporaryFile one(to_json(first));
  const TemporaryFile two(to_json(make_evidence(other).collateral));
  const Platform platform{{0x90, 0xc0, 0x6f, 0, 0, 0}, "platform"};
  const Platform unknown{{1}, "platform"};
  CollateralShelf shelf;
  EXPECT_TRUE(shelf.is_empty());
  ASSERT_TRUE(shelf.read_files({one.path()}));
  EXPECT_NE(shelf.find(unknown),
            nullptr);  // the one file is meant, and the verdict says what of it
  ASSERT_TRUE(shelf.read_files({two.path()}));
  ASSERT_NE(shelf.find(platform), nullptr);
  EXPECT_EQ(shelf.find(platform)->tcb_info, first.tcb_info);
  EXPECT_EQ(shelf.find(unknown), nullptr);
  const TemporaryFile broken("{}");
  EXPECT_EQ(shelf.read_files({broken.path()}).error().type, reason::kCollateralMalformed);
}

TEST(VerdictText, SaysWhatIsProvenAndWhatIsNot) {
  MadeReport made = make_flat_report();
  std::string text = verdict_text(made.verify());
  EXPECT_TRUE(text.starts_with("accepted\n")) << text;
  EXPECT_NE(text.find("gpu_evidence      not checked: NVIDIA"), std::string::npos) << text;
  EXPECT_NE(text.find("\n measurements\n"), std::string::npos);
  made.document["signing_algo"] = "\x1b[31m";
  made.options.quote.anchor = intel_sgx_root();
  text = verdict_text(made.verify());
  EXPECT_TRUE(text.starts_with("rejected: ")) << text;
  EXPECT_NE(text.find("[ROOT_UNTRUSTED]"), std::string::npos);
  EXPECT_NE(text.find("measurements, not proven"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace backplane::phala
