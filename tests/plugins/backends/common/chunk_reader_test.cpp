// SPDX-License-Identifier: Apache-2.0
#include "common/chunk_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {
namespace {

std::string usage_text(const ChunkFacts& facts) {
  if (!facts.has_usage) return "none";
  const bp_usage& usage = facts.usage;
  return std::to_string(usage.prompt_tokens) + ' ' + std::to_string(usage.completion_tokens) + ' ' +
         std::to_string(usage.cached_prompt_tokens) + ' ' + std::to_string(usage.reasoning_tokens);
}

struct UsageCase {
  const char* name;
  std::string_view document;
  std::string usage;
};

TEST(ChunkReader, FindsUsageWhereverAServerPutsIt) {
  const std::vector<UsageCase> cases = {
      {"none", R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]})", "none"},
      {"null", R"({"choices":[],"usage":null})", "none"},
      {"empty object", R"({"choices":[],"usage":{}})", "none"},
      {"all null", R"({"choices":[],"usage":{"prompt_tokens":null}})", "none"},
      {"zero is not absent", R"({"choices":[],"usage":{"prompt_tokens":0}})", "0 0 0 0"},
      {"without choices", R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})",
       "3 4 0 0"},
      {"with choices", R"({"choices":[{"index":0}],"usage":{"prompt_tokens":3}})", "3 0 0 0"},
      {"before the choices", R"({"usage":{"prompt_tokens":3,"completion_tokens":4},"choices":[]})",
       "3 4 0 0"},
      {"x_groq", R"({"choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":18}}})", "18 0 0 0"},
      {"usage before x_groq",
       R"({"usage":{"prompt_tokens":1},"x_groq":{"usage":{"prompt_tokens":2}}})", "1 0 0 0"},
      {"x_groq before usage",
       R"({"x_groq":{"usage":{"prompt_tokens":2}},"usage":{"prompt_tokens":1}})", "1 0 0 0"},
      {"details", R"({"usage":{"prompt_tokens":9,"completion_tokens":8,"total_tokens":17,
        "prompt_tokens_details":{"audio_tokens":1,"cached_tokens":5},
        "completion_tokens_details":{"reasoning_tokens":6}}})",
       "9 8 5 6"},
      {"details are null", R"({"usage":{"prompt_tokens":9,"prompt_tokens_details":null}})",
       "9 0 0 0"},
      {"flat details", R"({"usage":{"prompt_tokens":9,"completion_tokens":8,"cached_tokens":2,
        "reasoning_tokens":3}})",
       "9 8 2 3"},
      {"cache hits", R"({"usage":{"prompt_tokens":9,"prompt_cache_hit_tokens":4,
        "prompt_cache_miss_tokens":5}})",
       "9 0 4 0"},
      {"a part is at most its whole", R"({"usage":{"prompt_tokens":3,"completion_tokens":10,
        "cached_tokens":7,"completion_tokens_details":{"reasoning_tokens":11}}})",
       "3 10 3 10"},
      {"the total is not summed", R"({"usage":{"prompt_tokens":3,"completion_tokens":4,
        "total_tokens":90}})",
       "3 4 0 0"},
      {"reals", R"({"usage":{"prompt_tokens":3.0,"completion_tokens":4e0}})", "3 4 0 0"},
      {"negative and text", R"({"usage":{"prompt_tokens":-3,"completion_tokens":"4"}})", "none"},
      {"more than can be",
       R"({"usage":{"prompt_tokens":18446744073709551615,"completion_tokens":1e300}})", "none"},
      {"spaces", "{ \"usage\" : { \"prompt_tokens\" : 3 } }", "3 0 0 0"},
      {"only inside a string",
       R"({"choices":[{"delta":{"content":"\"usage\":{\"prompt_tokens\":3}"}}]})", "none"},
      {"a value that reads like the key", R"({"x":"usage","y":{"prompt_tokens":3}})", "none"},
      {"deeper than the top", R"({"choices":[{"delta":{"usage":{"prompt_tokens":3}}}]})", "none"},
      {"cost is an object", R"({"usage":{"prompt_tokens":8,"cost":{"total_cost":0.005}}})",
       "8 0 0 0"},
  };
  for (const UsageCase& given : cases) {
    ChunkReader reader;
    const ChunkFacts facts = reader.read(given.document);
    EXPECT_EQ(usage_text(facts), given.usage) << given.name;
    EXPECT_FALSE(facts.is_malformed) << given.name;
  }
}

TEST(ChunkReader, TellsChunksWithoutChoices) {
  const std::vector<std::pair<std::string_view, bool>> cases = {
      {R"({"choices":[],"usage":{"prompt_tokens":1}})", false},
      {R"({"choices":null,"usage":{"prompt_tokens":1}})", false},
      {R"({"usage":{"prompt_tokens":1}})", false},
      {R"({"choices":[{"index":0}],"usage":{"prompt_tokens":1}})", true},
  };
  for (const auto& [document, has_choices] : cases) {
    EXPECT_EQ(ChunkReader().read(document).has_choices, has_choices) << document;
  }
}

TEST(ChunkReader, FindsErrors) {
  const std::vector<std::pair<std::string_view, bool>> cases = {
      {R"({"error":{"message":"m"}})", true},
      {R"({"error":"text"})", true},
      {R"({"error":true})", true},
      {R"({"error":5})", true},
      {R"({"choices":[{"index":0,"finish_reason":null}],"error":{"code":400}})", true},
      {R"({"error":null,"choices":[]})", false},
      {R"({"error":"","choices":[]})", false},
      {R"({"error":false})", false},
      {R"({"choices":[{"delta":{"content":"\"error\":{}"}}]})", false},
      {R"({"choices":[{"delta":{"error":{"message":"of a tool"}}}]})", false},
  };
  for (const auto& [document, has_error] : cases) {
    EXPECT_EQ(ChunkReader().read(document).has_error, has_error) << document;
  }
}

TEST(ChunkReader, KnowsWhenEveryChoiceHasFinished) {
  const auto chunk = [](int index, const char* reason) {
    return R"({"choices":[{"index":)" + std::to_string(index) + R"(,"delta":{},"finish_reason":)" +
           reason + "}]}";
  };
  struct Case {
    const char* name;
    std::vector<std::string> chunks;
    bool is_complete;
  };
  const std::vector<Case> cases = {
      {"nothing seen", {}, false},
      {"no choices", {R"({"choices":[]})"}, false},
      {"begun", {chunk(0, "null")}, false},
      {"finished", {chunk(0, "null"), chunk(0, "\"stop\"")}, true},
      {"any reason", {chunk(0, "\"eos\"")}, true},
      {"empty reason", {chunk(0, "\"\"")}, false},
      {"the reason is repeated", {chunk(0, "\"length\""), chunk(0, "\"length\"")}, true},
      {"null again afterwards", {chunk(0, "\"stop\""), chunk(0, "null")}, true},
      {"one of two", {chunk(0, "null"), chunk(1, "null"), chunk(0, "\"stop\"")}, false},
      {"two of two", {chunk(1, "null"), chunk(1, "\"stop\""), chunk(0, "\"stop\"")}, true},
      {"two in one", {R"({"choices":[{"index":0,"finish_reason":"stop"},{"index":1}]})"}, false},
      {"no index", {R"({"choices":[{"finish_reason":"stop","delta":{}}]})"}, true},
      {"index of a tool call",
       {R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":1}]},"finish_reason":null}]})",
        chunk(0, "\"tool_calls\"")},
       true},
      {"index out of bounds", {chunk(0, "\"stop\""), chunk(4096, "null")}, true},
  };
  for (const Case& given : cases) {
    ChunkReader reader;
    for (const std::string& document : given.chunks) reader.read(document);
    EXPECT_EQ(reader.is_complete(), given.is_complete) << given.name;
  }
}

TEST(ChunkReader, GivesTheFinishReasonsOfTheLastDocument) {
  ChunkReader reader;
  reader.read(R"({"choices":[{"index":2,"finish_reason":"stop"},{"finish_reason":"length"}]})");
  ASSERT_EQ(reader.finishes().size(), 2U);
  EXPECT_EQ(reader.finishes()[0].index, 2U);
  EXPECT_EQ(reader.finishes()[0].reason, "stop");
  EXPECT_EQ(reader.finishes()[1].index, 0U);
  EXPECT_EQ(reader.finishes()[1].reason, "length");
  reader.read(R"({"choices":[{"index":0,"finish_reason":null}]})");
  EXPECT_TRUE(reader.finishes().empty());
}

TEST(ChunkReader, ParsesAWholeDocumentWhateverItHolds) {
  const auto read = [](std::string_view document) {
    ChunkReader reader;
    return reader.read_whole(document, document.size());
  };
  EXPECT_EQ(usage_text(read(R"({"choices":[],"usage":{"prompt_tokens":3}})")), "3 0 0 0");
  EXPECT_EQ(usage_text(read(R"({"data":[1,2,3]})")), "none");
  EXPECT_FALSE(read(R"({"data":[1,2,3]})").is_malformed);
  EXPECT_TRUE(read(R"({"error":{"message":"no"}})").has_error);
  EXPECT_TRUE(read(R"({"data":[1,2,3})").is_malformed);
}

TEST(ChunkReader, ReportsWhatItCannotParse) {
  for (const std::string_view document :
       {R"({"usage":{"prompt_tokens":3)", R"([{"usage":{}}])", R"("usage":{})",
        R"({"choices":[{"finish_reason":"sto)", R"({"error" {}})", "{\"error\":\"\xFF\"}",
        R"({"choices":["index",1,"finish_reason":"x"]})"}) {
    const ChunkFacts facts = ChunkReader().read(document);
    EXPECT_TRUE(facts.is_malformed || !facts.has_usage) << document;
  }
  EXPECT_TRUE(ChunkReader().read(R"({"usage":{"prompt_tokens":3)").is_malformed);
  EXPECT_TRUE(ChunkReader().read("{\"error\":\"\xFF\"}").is_malformed);
  EXPECT_TRUE(ChunkReader().read(R"({"error":nu"x"ll})").is_malformed);
}

TEST(ChunkReader, SurvivesEveryCutAndReadsTheSameInPlace) {
  const std::string whole =
      R"({"id":"a","choices":[{"index":1,"delta":{"content":"\u00e9\\"},"finish_reason":"stop"}],)"
      R"("error":null,"usage":{"prompt_tokens":3,"completion_tokens":4}})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> own(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string_view cut(own.data(), own.size());
    ChunkReader().read(cut);
    EXPECT_FALSE(is_whole_object(cut)) << size;
  }
  EXPECT_TRUE(is_whole_object(whole));
  EXPECT_FALSE(is_whole_object(whole + "}"));
  EXPECT_FALSE(is_whole_object("[1]"));
  const std::string padded = whole + std::string(ChunkReader::kPaddingBytes, '\0');
  const auto facts = ChunkReader().read({padded.data(), whole.size()}, padded.size());
  EXPECT_EQ(usage_text(facts), "3 4 0 0");
}

}  // namespace
}  // namespace backplane::dialect
