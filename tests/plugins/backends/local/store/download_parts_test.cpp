// SPDX-License-Identifier: Apache-2.0
// Which ranges are asked for, and what a download leaves for the next one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>
#include <random>

#include "plugins/backends/local/store/hub.hpp"
#include "plugins/backends/local/store/part_file.hpp"

namespace backplane::local {
namespace {

constexpr std::uint64_t kSize = 3 * kPieceBytes + 100;

TEST(RangePlan, SharesAFileAmongConnections) {
  const std::vector<bool> none(8, false);
  const auto ranges = plan_ranges(8 * kPieceBytes, none, 4);
  ASSERT_EQ(ranges.size(), 4U);
  EXPECT_EQ(ranges[3], (ByteRange{6 * kPieceBytes, 8 * kPieceBytes}));
  EXPECT_EQ(plan_ranges(100, {false}, 4), (std::vector<ByteRange>{{0, 100}}));
  EXPECT_TRUE(plan_ranges(0, {}, 4).empty());
}

TEST(RangePlan, CoversExactlyWhatIsMissing) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t bytes = 1 + random() % (200 * kPieceBytes);
    std::vector<bool> done(piece_count(bytes));
    for (std::size_t i = 0; i < done.size(); ++i) done[i] = random() % 3 == 0;
    std::vector<bool> covered = done;
    for (const ByteRange& range : plan_ranges(bytes, done, 1 + random() % 8)) {
      ASSERT_LE(range.bytes(), kRangeBytesMax);
      ASSERT_EQ(range.begin % kPieceBytes, 0U);
      ASSERT_TRUE(range.end == bytes || range.end % kPieceBytes == 0);
      for (std::uint64_t at = range.begin; at < range.end; at += kPieceBytes) {
        const auto piece = static_cast<std::size_t>(at / kPieceBytes);
        ASSERT_FALSE(covered[piece]);
        covered[piece] = true;
      }
    }
    ASSERT_EQ(std::accumulate(covered.begin(), covered.end(), std::size_t{0}), covered.size());
  }
}

class PartFileTest : public testing::Test {
 protected:
  PartFileTest()
      : path_(testing::TempDir() + "parts-" + std::to_string(getpid())),
        folder_(std::move(*Folder::open(path_, Folder::Missing::kCreate))) {
    content_.resize(kSize);
    std::mt19937 random(7);
    for (char& byte : content_) byte = static_cast<char>(random());
    file_ = {"sub/a.gguf", kSize, "", ""};
    const auto whole = folder_.open_file("whole", O_RDWR | O_CREAT);
    EXPECT_EQ(write(whole->get(), content_.data(), kSize), static_cast<ssize_t>(kSize));
    file_.sha256 = digest_file(whole->get(), kSize)->sha256;
  }
  ~PartFileTest() override { std::filesystem::remove_all(path_); }
  std::unique_ptr<PartFile> open() { return std::move(*PartFile::open(folder_, file_)); }
  void bring(PartFile& part, std::size_t piece) {
    const ByteRange range = piece_range(kSize, piece);
    ASSERT_TRUE(part.write(
        range.begin, {content_.data() + range.begin, static_cast<std::size_t>(range.bytes())}));
    ASSERT_TRUE(part.mark_done(piece));
  }
  void append(const std::string& text) {
    const auto pieces = folder_.open_file("sub/a.gguf.pieces", O_WRONLY | O_APPEND);
    ASSERT_EQ(write(pieces->get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  std::string path_;
  Folder folder_;
  std::string content_;
  RemoteFile file_;
};

TEST_F(PartFileTest, GoesOnWhereItWasAndChecksTheWhole) {
  bring(*open(), 1);
  const auto part = open();
  EXPECT_EQ(part->done(), (std::vector<bool>{false, true, false, false}));
  EXPECT_EQ(part->missing_bytes(), kSize - kPieceBytes);
  for (const std::size_t piece : {0U, 2U, 3U}) bring(*part, piece);
  const auto digests = part->finish();
  ASSERT_TRUE(digests) << digests.error().message;
  EXPECT_EQ(*folder_.read_file("sub/a.gguf", kSize), content_);
  EXPECT_FALSE(folder_.has_file("sub/a.gguf.part"));
  EXPECT_FALSE(folder_.has_file("sub/a.gguf.pieces"));
}

TEST_F(PartFileTest, WrongBytesGoAway) {
  const auto part = open();
  content_[5] = static_cast<char>(content_[5] + 1);
  for (std::size_t piece = 0; piece < 4; ++piece) bring(*part, piece);
  const auto digests = part->finish();
  ASSERT_FALSE(digests);
  EXPECT_EQ(digests.error().code, Code::kDataLoss);
  EXPECT_FALSE(folder_.has_file("sub/a.gguf"));
  EXPECT_FALSE(folder_.has_file("sub/a.gguf.part"));
}

TEST_F(PartFileTest, OnlyWholeLinesOfItsOwnFileCount) {
  bring(*open(), 0);
  append("2");  // cut short: it could have been to become 23
  EXPECT_EQ(open()->done(), (std::vector<bool>{true, false, false, false}));
  append("\n999\n-1\nx\n");
  EXPECT_EQ(open()->done(), (std::vector<bool>{true, false, true, false}));
  file_.sha256[0] = file_.sha256[0] == 'a' ? 'b' : 'a';
  EXPECT_EQ(open()->done(), (std::vector<bool>(4, false)));
}

TEST_F(PartFileTest, TheNameOfGitIsCheckedToo) {
  file_ = {"b.json", 6, "", "ce013625030ba8dba906f756967f9e9ca394464a"};  // "hello\n"
  auto part = open();
  ASSERT_TRUE(part->write(0, {"hello\n", 6}));
  ASSERT_TRUE(part->mark_done(0));
  EXPECT_TRUE(part->finish());
  part = open();
  ASSERT_TRUE(part->write(0, {"hallo\n", 6}));
  ASSERT_TRUE(part->mark_done(0));
  EXPECT_FALSE(part->finish());
}

TEST(Retry, WaitsLongerEachTimeAndAsLongAsTold) {
  HttpAnswer answer;
  EXPECT_EQ(retry_delay(answer, 0).count(), 500);
  EXPECT_EQ(retry_delay(answer, 2).count(), 2000);
  EXPECT_EQ(retry_delay(answer, 100).count(), 30000);
  answer.retry_after_ms = 7000;
  EXPECT_EQ(retry_delay(answer, 0).count(), 7000);
}

TEST(Origin, IsSchemeHostAndPort) {
  EXPECT_EQ(origin_of("https://Hub.example/a?b"), "https://hub.example:443");
  EXPECT_EQ(origin_of("HTTP://hub.example:8080"), "http://hub.example:8080");
  EXPECT_EQ(origin_of("http://hub.example@evil.example/"), "http://evil.example:80");
  for (const char* url : {"", "ftp://a", "file:///etc/passwd", "https://", "/a"}) {
    EXPECT_EQ(origin_of(url), "") << url;
  }
}

}  // namespace
}  // namespace backplane::local
