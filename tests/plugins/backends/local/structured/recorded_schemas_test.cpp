// SPDX-License-Identifier: Apache-2.0
// Recorded schemas with instances that are valid and that are not, and generations along them.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <iostream>
#include <random>

#include "plugins/backends/local/structured/grammar.hpp"
#include "tests/plugins/backends/local/recorded.hpp"
#include "tests/plugins/backends/local/structured/following.hpp"
#include "tests/plugins/backends/local/structured/schema_validator.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

struct Counts {
  std::size_t enforced = 0, refused = 0, right = 0;
  std::size_t valid_taken = 0, valid_refused = 0, invalid_taken = 0, invalid_refused = 0;
};

// Nothing fits: every instance is refused.
bool is_unsatisfiable(const Error& error) {
  return error.message.find("cannot be satisfied") != std::string::npos;
}

void count_case(const json::object& recorded, Counts& counts) {
  const std::string schema = write_json(recorded.at("schema"), ",", ":");
  const auto grammar = compile_json_schema(schema, {});
  if (!grammar && !is_unsatisfiable(grammar.error())) {
    ++counts.refused;
    EXPECT_EQ(grammar.error().code, Code::kInvalidArgument);
    EXPECT_NE(grammar.error().message.find(": \""), std::string::npos) << grammar.error().message;
    return;
  }
  ++counts.enforced;
  bool right = true;
  for (const json::value& test : recorded.at("tests").as_array()) {
    const json::value& data = test.as_object().at("data");
    const bool is_valid = test.as_object().at("valid").as_bool();
    for (const bool compact : {true, false}) {
      const std::string text = write_json(data, compact ? "," : ", ", compact ? ":" : ": ");
      const bool taken = grammar && accepts(*grammar, text);
      ++(is_valid ? (taken ? counts.valid_taken : counts.valid_refused)
                  : (taken ? counts.invalid_taken : counts.invalid_refused));
      right = right && taken == is_valid;
      EXPECT_TRUE(is_valid || !taken) << schema << "\ntakes " << text;
    }
  }
  if (right) ++counts.right;
}

Counts count_file(const std::string& path) {
  Counts counts;
  for (const json::value& recorded : recorded_lines(path)) count_case(recorded.as_object(), counts);
  std::cout << path << ": " << counts.enforced << " enforced, " << counts.refused << " refused, "
            << counts.right << " all right; valid " << counts.valid_taken << " taken, "
            << counts.valid_refused << " refused; invalid " << counts.invalid_taken << " taken, "
            << counts.invalid_refused << " refused\n";
  return counts;
}

TEST(RecordedSchemas, MaskBench) {
  const std::string path = recorded_path("models/jsonschema/maskbench.dev.jsonl");
  if (path.empty()) GTEST_SKIP() << "no recorded schemas";
  const Counts counts = count_file(path);
  EXPECT_EQ(counts.invalid_taken, 0u);
  EXPECT_EQ(counts.valid_refused, 0u);
  EXPECT_GE(counts.enforced, 144u);
  EXPECT_EQ(counts.right, counts.enforced);
}

TEST(RecordedSchemas, TestSuite) {
  const std::string path = recorded_path("models/jsonschema/jsts.jsonl");
  if (path.empty()) GTEST_SKIP() << "no recorded schemas";
  const Counts counts = count_file(path);
  EXPECT_EQ(counts.invalid_taken, 0u);
  // Formats that are annotations there, 1.0 for an integer, and "$ref" with siblings in draft 7.
  EXPECT_LE(counts.valid_refused, 36u);
  EXPECT_GE(counts.right, 440u);
}

// With random tokens nobody spells the names that are required: where any name may come, they
// hardly ever do. So no other may come.
void close(json::value& schema) {
  if (schema.is_array()) {
    for (json::value& member : schema.get_array()) close(member);
  }
  if (!schema.is_object()) return;
  json::object& object = schema.get_object();
  for (auto& member : object) {
    if (member.key() != "enum" && member.key() != "const") close(member.value());
  }
  const json::value* properties = object.if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return;
  const json::value* type = properties->get_object().if_contains("type");
  if (type != nullptr && type->is_string()) return;  // a property of that name, not a schema
  if (!object.contains("additionalProperties")) object["additionalProperties"] = false;
}

class RecordedVocabulary : public testing::TestWithParam<const char*> {};

TEST_P(RecordedVocabulary, GenerationsAreValid) {
  const std::string path = recorded_path("models/jsonschema/maskbench.dev.jsonl");
  const std::string vocabulary = recorded_path(std::string("models/") + GetParam());
  if (path.empty() || vocabulary.empty()) GTEST_SKIP() << "no recorded schemas";
  const auto file = ModelFile::open(vocabulary);
  ASSERT_TRUE(file) << file.error().message;
  const auto tokenizer = Tokenizer::load(*file);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const TokenTrie trie(**tokenizer);
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  Generator generator(trie, seed);
  json::parse_options deep;
  deep.max_depth = 5'000;
  std::size_t ended = 0, all = 0;
  for (json::value& recorded : recorded_lines(path)) {
    json::value& schema = recorded.as_object().at("schema");
    for (const bool closed : {false, true}) {
      if (closed) close(schema);
      const auto grammar = compile_json_schema(write_json(schema, ",", ":"), {});
      if (!grammar) continue;
      const Generated generated = generator.generate(*grammar);
      if (closed) ++all;
      if (!generated.ended) continue;
      if (closed) ++ended;
      boost::system::error_code failure;
      const json::value value = json::parse(generated.text, failure, {}, deep);
      ASSERT_FALSE(failure) << generated.text;
      EXPECT_TRUE(validates(schema, value, schema))
          << generated.text << "\nfor " << write_json(schema, ",", ":");
    }
  }
  std::cout << ended << " of " << all << " ended\n";
  EXPECT_GE(ended * 10, all * 8);
}

INSTANTIATE_TEST_SUITE_P(Structured, RecordedVocabulary,
                         testing::Values("stories260K.gguf", "vocab-gguf/built-llama3-vocab.gguf"));

}  // namespace
}  // namespace backplane::local
