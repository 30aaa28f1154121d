// SPDX-License-Identifier: Apache-2.0
// Recorded answers of real servers, each against the summary it must have. Skipped where the
// recordings are not at hand.
#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <simdjson.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
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

std::string sha256_of(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4U];
    hex += "0123456789abcdef"[byte & 15U];
  }
  return hex;
}

// The text of all choices under `member` of their deltas, from the chunks as they were passed on.
std::string text_of_deltas(const std::vector<std::string>& chunks, std::string_view member) {
  dom::parser parser;
  std::string text;
  for (const std::string& chunk : chunks) {
    dom::element document;
    dom::array choices;
    EXPECT_EQ(parser.parse(chunk).get(document), simdjson::SUCCESS) << chunk;
    if (document["choices"].get(choices) != simdjson::SUCCESS) continue;
    for (const dom::element choice : choices) {
      std::string_view content;
      if (choice["delta"][member].get(content) == simdjson::SUCCESS) text += content;
    }
  }
  return text;
}

// An error takes the text beside it with it.
void check_reasoning(const std::vector<std::string>& chunks, dom::element expect, bool has_error) {
  const std::string text = text_of_deltas(chunks, "reasoning_content");
  if (has_error && text.empty()) return;
  EXPECT_EQ(sha256_of(text), text_of(expect, "reasoning_sha256"));
}

// As clients put them together: by index, text behind text.
void check_tool_calls(const std::vector<std::string>& chunks, dom::element expected) {
  dom::parser parser;
  std::map<std::string, std::array<std::string, 3>> calls;  // id, name, arguments
  for (const std::string& chunk : chunks) {
    dom::array deltas;
    if (parser.parse(chunk).at_pointer("/choices/0/delta/tool_calls").get(deltas)) continue;
    for (const dom::element delta : deltas) {
      std::array<std::string, 3>& call = calls[std::to_string(number(delta, "index"))];
      const auto add = [](std::string& to, simdjson::simdjson_result<dom::element> from) {
        std::string_view text;
        if (from.get(text) == simdjson::SUCCESS) to += text;
      };
      add(call[0], delta["id"]);
      add(call[1], delta["function"]["name"]);
      add(call[2], delta["function"]["arguments"]);
    }
  }
  dom::object known;
  if (expected.get(known) != simdjson::SUCCESS) {
    EXPECT_TRUE(calls.empty());
    return;
  }
  EXPECT_EQ(calls.size(), known.size());
  for (const auto& [index, call] : known) {
    const std::array<std::string, 3>& found = calls[std::string(index)];
    EXPECT_EQ(found[0], text_of(call, "id"));
    EXPECT_EQ(found[1], text_of(call, "name"));
    EXPECT_EQ(found[2], text_of(call, "arguments"));
  }
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
      EXPECT_EQ(sha256_of(text_of_deltas(rig.sink.chunks, "content")),
                text_of(expect, "text_sha256"));
      check_reasoning(rig.sink.chunks, expect, has_error);
      check_tool_calls(rig.sink.chunks, expect["tool_calls"]);
    }
  }
  EXPECT_GT(count, 10U);
}

// Reasoning is there under the one name as well; nothing else has become another.
void check_message(const std::string& body, dom::element expect) {
  std::uint64_t content_size = 0;
  if (expect["content_len"].get(content_size) != simdjson::SUCCESS) return;
  dom::parser parser;
  dom::element choice;
  ASSERT_EQ(parser.parse(body).at_pointer("/choices/0").get(choice), simdjson::SUCCESS);
  const std::string reason = text_of(expect, "finish_reason");
  EXPECT_EQ(text_of(choice, "finish_reason"), reason == "eos" ? "stop" : reason);
  dom::array calls;
  const bool has_calls = !choice["message"]["tool_calls"].get(calls);
  EXPECT_EQ(has_calls ? calls.size() : 0, number(expect, "tool_calls"));
  dom::array fields;
  if (expect["reasoning_field"].get(fields) != simdjson::SUCCESS) return;
  for (const std::string_view field : fields) {
    EXPECT_EQ(text_of(choice["message"].value_unsafe(), field),
              text_of(choice["message"].value_unsafe(), "reasoning_content"));
  }
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
    check_message(rig.sink.body, expect);
  }
}

}  // namespace
}  // namespace backplane::dialect
