// SPDX-License-Identifier: Apache-2.0
// Recorded answers of real servers, each against the summary it must have. Skipped where the
// recordings are not at hand.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "call_rig.hpp"
#include "common/chunk_reader.hpp"
#include "common/sse_framer.hpp"

namespace backplane::dialect {
namespace {

namespace dom = simdjson::dom;
using testing::CallRig;
using testing::Headers;

const std::filesystem::path kFolder =
    std::filesystem::path(BACKPLANE_SHARED_DIR) / "vectors" / "providers" / "streams";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RecordedStreams : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kFolder / "MANIFEST.json")) GTEST_SKIP() << "no recordings";
    ASSERT_EQ(parser_.load((kFolder / "MANIFEST.json").string()).get(manifest_), simdjson::SUCCESS);
  }
  dom::parser parser_;
  dom::array manifest_;
};

std::string text_of(dom::element element, std::string_view name) {
  std::string_view value;
  EXPECT_EQ(element[name].get(value), simdjson::SUCCESS) << name;
  return std::string(value);
}

bool is_null(dom::element element) {
  return element.is_null();
}

std::uint64_t number(dom::element element, std::string_view name) {
  std::uint64_t value = 0;
  EXPECT_EQ(element[name].get(value), simdjson::SUCCESS) << name;
  return value;
}

// Sends the recording through a call in pieces of `size` bytes, then ends the response.
void play(CallRig& rig, std::uint32_t status, const Headers& headers, const std::string& bytes,
          std::size_t size) {
  ASSERT_TRUE(rig.start());
  rig.host.head(status, headers);
  for (std::size_t at = 0; at < bytes.size() && rig.host.is_open(); at += size) {
    rig.host.data(std::string_view(bytes).substr(at, size));
  }
  if (rig.host.is_open()) rig.host.done();
  ASSERT_TRUE(rig.sink.ended);
}

void check_usage(const CallRig& rig, dom::element usage) {
  const bool was_told = rig.sink.usage.struct_size != 0;
  EXPECT_EQ(was_told, !is_null(usage));
  if (!was_told || is_null(usage)) return;
  EXPECT_EQ(rig.sink.usage.prompt_tokens, number(usage, "prompt_tokens"));
  EXPECT_EQ(rig.sink.usage.completion_tokens, number(usage, "completion_tokens"));
}

void check_finishes(const std::vector<std::string>& chunks, dom::array expected) {
  ChunkReader reader;
  std::vector<std::string> found;
  for (const std::string& chunk : chunks) {
    reader.read(chunk);
    for (const Finish& finish : reader.finishes()) found.push_back(finish.reason);
  }
  std::vector<std::string> reasons;
  for (const std::string_view reason : expected) reasons.emplace_back(reason);
  EXPECT_EQ(found, reasons);
}

// The text of all choices, from the chunks as they were passed on.
std::string content_of(const std::vector<std::string>& chunks) {
  dom::parser parser;
  std::string text;
  for (const std::string& chunk : chunks) {
    dom::element document;
    dom::array choices;
    EXPECT_EQ(parser.parse(chunk).get(document), simdjson::SUCCESS) << chunk;
    if (document["choices"].get(choices) != simdjson::SUCCESS) continue;
    for (const dom::element choice : choices) {
      std::string_view content;
      if (choice["delta"]["content"].get(content) == simdjson::SUCCESS) text += content;
    }
  }
  return text;
}

TEST_F(RecordedStreams, StreamsBecomeTheirChunksUsageAndEnd) {
  std::size_t count = 0;
  for (const dom::element entry : manifest_) {
    const dom::element expect = entry["expect"];
    if (text_of(expect, "kind") != "sse") continue;
    ++count;
    const std::string name = text_of(entry, "file");
    const std::string bytes = read_file(kFolder / name);
    for (const std::size_t size : {std::size_t{1}, std::size_t{1460}, bytes.size()}) {
      SCOPED_TRACE(name + " in pieces of " + std::to_string(size));
      CallRig rig;
      play(rig, 200, testing::kEventStream, bytes, size);
      const bool has_error = !is_null(expect["error"]);
      EXPECT_EQ(rig.sink.events.back().substr(0, 5), has_error ? "error" : "end");
      const std::size_t not_chunks = (bool(expect["done"]) ? 1U : 0U) + (has_error ? 1U : 0U);
      EXPECT_EQ(rig.sink.chunks.size(), number(expect, "events") - not_chunks);
      check_usage(rig, expect["usage_effective"]);
      check_finishes(rig.sink.chunks, expect["finish_reasons"]);
      const std::string text = content_of(rig.sink.chunks);
      const std::string head = text_of(expect, "text_head");
      EXPECT_EQ(text.substr(0, head.size()), head);
    }
  }
  EXPECT_GT(count, 10U);
}

TEST_F(RecordedStreams, BodiesBecomeOneBodyAndUsageOrAnError) {
  for (const dom::element entry : manifest_) {
    const dom::element expect = entry["expect"];
    if (text_of(expect, "kind") != "json") continue;
    const std::string name = text_of(entry, "file");
    SCOPED_TRACE(name);
    const std::string bytes = read_file(kFolder / name);
    CallRig rig(0);
    play(rig, static_cast<std::uint32_t>(number(entry, "status")), testing::kJsonBody, bytes, 100);
    if (bool(expect["has_error"])) {
      EXPECT_EQ(rig.sink.events.back().substr(0, 5), "error");
      continue;
    }
    EXPECT_EQ(rig.sink.events.back(), "end");
    EXPECT_TRUE(is_whole_object(rig.sink.body));
    dom::element usage;
    if (expect["usage"].get(usage) == simdjson::SUCCESS) check_usage(rig, usage);
  }
}

}  // namespace
}  // namespace backplane::dialect
