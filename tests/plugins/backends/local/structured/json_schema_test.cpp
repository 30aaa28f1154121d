// SPDX-License-Identifier: Apache-2.0
// What each keyword lets through, what it keeps out, and what is refused by name.
#include <gtest/gtest.h>

#include "plugins/backends/local/structured/grammar.hpp"
#include "tests/plugins/backends/local/structured/following.hpp"

namespace backplane::local {
namespace {

struct SchemaCase {
  const char* schema;
  std::vector<const char*> valid;
  std::vector<const char*> invalid;
};

class JsonSchema : public testing::TestWithParam<SchemaCase> {};

TEST_P(JsonSchema, TakesWhatIsValidAndNothingElse) {
  const auto grammar = compile_json_schema(GetParam().schema, {});
  ASSERT_TRUE(grammar) << grammar.error().message;
  for (const char* text : GetParam().valid) {
    EXPECT_TRUE(accepts(*grammar, text))
        << text << " up to byte " << accepted_bytes(*grammar, text);
  }
  for (const char* text : GetParam().invalid) EXPECT_FALSE(accepts(*grammar, text)) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Values, JsonSchema,
    testing::Values(
        SchemaCase{"true",
                   {"null", "[]", "{\"a\":[1,{}]}", "-0.5e10", "\"\\u00e9\""},
                   {"", "nul", "[1,]", "{\"a\"}", "01", "+1", "1.", "\"\x01\"", "\"\xff\""}},
        SchemaCase{R"({"type":["boolean","null"]})", {"true", "null"}, {"0", "\"true\""}},
        SchemaCase{R"({"enum":[1,"a",null,{"b":[1]}]})",
                   {"1", "1.0", "\"a\"", "null", "{\"b\":[1]}", "{\"b\": [1]}"},
                   {"2", "\"b\"", "true", "{\"b\":[1,1]}", "{\"b\":[1],\"c\":1}", "{}"}},
        SchemaCase{R"({"const":"a\"\\\n\u00e9"})",
                   {R"("a\"\\\né")", R"("a\"\\\u000a\u00e9")"},
                   {R"("a")", R"("\u0061\"\\\né")"}}));

INSTANTIATE_TEST_SUITE_P(
    Strings, JsonSchema,
    testing::Values(
        SchemaCase{R"({"type":"string","minLength":2,"maxLength":3})",
                   {"\"ab\"", "\"\xc3\xa9\xf0\x9f\x98\x80x\"", "\"\\ud83d\\ude00\\n\""},
                   {"\"a\"", "\"abcd\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\ude00a\""}},
        SchemaCase{R"({"type":"string","pattern":"^[a-c]+$","maxLength":100000})",
                   {"\"abc\""},
                   {"\"\"", "\"abd\"", "\"ab c\""}},
        SchemaCase{R"({"type":"string","pattern":"b"})", {"\"abc\"", "\"b\\n\""}, {"\"ac\""}},
        SchemaCase{R"({"type":"string","pattern":"^(\\d{3}|x{2,})-\\w*$","minLength":5})",
                   {"\"123-a\"", "\"xxxx-\""},
                   {"\"123-\"", "\"x-aaaa\"", "\"12-aaa\""}},
        SchemaCase{R"({"type":"string","format":"date"})",
                   {"\"2024-02-29\"", "\"1999-12-31\""},
                   {"\"2023-02-29\"", "\"1900-02-29\"", "\"2020-04-31\"", "\"2020-1-1\""}},
        SchemaCase{R"({"type":"string","format":"date-time"})",
                   {"\"2024-02-29T23:59:59Z\"", "\"2024-01-01T00:00:00.25+02:00\""},
                   {"\"2024-01-01 00:00:00Z\"", "\"2024-01-01T24:00:00Z\""}},
        SchemaCase{R"({"type":"string","format":"ipv4"})",
                   {"\"127.0.0.1\""},
                   {"\"256.0.0.1\"", "\"1.2.3\"", "\"01.2.3.4\""}},
        SchemaCase{R"({"type":"string","format":"ipv6"})",
                   {"\"::\"", "\"::1\"", "\"1:2:3:4:5:6:7:8\"", "\"fe80::1:2\"",
                    "\"::ffff:1.2.3.4\"", "\"1:2:3:4:5:6:7::\""},
                   {"\"1::2::3\"", "\"12345::\"", "\"1:2:3:4:5:6:7\"", "\"1:2:3:4:5:6:7:8::\""}},
        SchemaCase{R"({"type":"string","format":"email"})",
                   {"\"a.b+c@example.org\""},
                   {"\"a@\"", "\"a b@c.de\"", "\"@c.de\"", "\"a@b@c\""}},
        SchemaCase{R"({"type":"string","format":"uuid"})",
                   {"\"123e4567-e89b-12d3-a456-426614174000\""},
                   {"\"123e4567\""}},
        SchemaCase{R"({"type":"string","format":"uri"})",
                   {"\"https://a.b/c?d=e#f\"", "\"urn:x:y\"", "\"mailto:a@b.c\""},
                   {"\"//a.b\"", "\"a b:c\"", "\"/x\""}},
        SchemaCase{R"({"type":"string","format":"duration"})",
                   {"\"P1Y2M3DT4H\"", "\"P2W\"", "\"PT5S\""},
                   {"\"P\"", "\"PT\"", "\"P1DT\"", "\"1D\""}},
        SchemaCase{R"({"type":"string","format":"of-the-house"})", {"\"any\""}, {"1"}}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, JsonSchema,
    testing::Values(
        SchemaCase{R"({"type":"integer"})",
                   {"0", "-7", "123456789012345678901234567890"},
                   {"1.5", "1.0", "1e2", "-0", "\"1\""}},
        SchemaCase{R"({"type":"integer","minimum":-5,"maximum":120})",
                   {"-5", "0", "99", "120"},
                   {"-6", "121", "1000", "-50"}},
        SchemaCase{R"({"type":"integer","exclusiveMinimum":0,"multipleOf":7})",
                   {"7", "21", "700"},
                   {"0", "-7", "8"}},
        SchemaCase{R"({"type":"number","minimum":0.25,"exclusiveMaximum":1})",
                   {"0.25", "0.3", "0.999", "0.2500"},
                   {"0.24", "1", "1.0", "-0.5", "0.5e0"}},
        SchemaCase{R"({"type":"number","minimum":2,"exclusiveMinimum":true})",
                   {"2.1", "3"},
                   {"2", "2.0", "1.9"}},
        SchemaCase{R"({"type":"number","minimum":-1.5,"maximum":-0.5})",
                   {"-1.5", "-1", "-0.5"},
                   {"-1.51", "-0.49", "0", "1"}},
        SchemaCase{R"({"type":"number","minimum":0})", {"0", "-0", "0.1", "12"}, {"-0.1", "-1"}},
        SchemaCase{
            R"({"type":"number","multipleOf":0.01})", {"1.25", "3", "0.100"}, {"0.001", "1.255"}},
        SchemaCase{R"({"type":"number","not":{"type":"integer"}})",
                   {"1.5", "-0.25"},
                   {"1", "1.0", "2.00"}},
        SchemaCase{R"({"type":"number","not":{"enum":[1,2.5]}})",
                   {"1.1", "3", "2.51"},
                   {"1", "1.0", "2.5", "2.50"}}));

INSTANTIATE_TEST_SUITE_P(
    Objects, JsonSchema,
    testing::Values(
        SchemaCase{R"({"type":"object","properties":{"a":{"type":"integer"},"ab":{"type":"string"}},
                       "required":["a"],"additionalProperties":false})",
                   {"{\"a\":1}", "{\"ab\": \"x\", \"a\": 1}", "{\n  \"a\": 1,\n  \"ab\": \"\"\n}"},
                   {"{}", "{\"ab\":\"x\"}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"c\":2}",
                    "{\"a\":\"1\"}", "{\"a\":1,}", "{\"a\" :1}", "{\"\\u0061\":1}"}},
        SchemaCase{R"({"type":"object","properties":{"a":{"type":"integer"}}})",
                   {"{}", "{\"b\":\"x\",\"a\":1}", "{\"aa\":\"x\"}", "{\"\\u00e4\":1}"},
                   {"{\"a\":\"x\"}", "{\"\\u0061\":\"x\"}", "{\"a\":1,\"\\u0061\":2}"}},
        SchemaCase{R"({"type":"object","additionalProperties":{"type":"integer"},
                       "patternProperties":{"^x-":{"type":"string"},"y$":{"minLength":2}}})",
                   {"{\"a\":1,\"x-a\":\"\",\"x-y\":\"ab\"}", "{\"y\":3}"},
                   {"{\"a\":\"\"}", "{\"x-a\":1}", "{\"x-y\":\"a\"}"}},
        SchemaCase{R"({"type":"object","propertyNames":{"pattern":"^[a-z]+$","maxLength":3}})",
                   {"{}", "{\"abc\":1}"},
                   {"{\"abcd\":1}", "{\"A\":1}"}},
        SchemaCase{R"({"type":"object","minProperties":1,"maxProperties":2})",
                   {"{\"a\":1}", "{\"a\":1,\"b\":2}"},
                   {"{}", "{\"a\":1,\"b\":2,\"c\":3}"}},
        SchemaCase{R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"required":["c"],
                       "additionalProperties":false,"maxProperties":2,"minProperties":2})",
                   {"{\"a\":1,\"c\":2}", "{\"c\":1,\"b\":2}"},
                   {"{\"c\":1}", "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":2,\"c\":3}"}},
        SchemaCase{R"({"type":"object","dependentRequired":{"a":["b"]}})",
                   {"{\"b\":1}", "{\"a\":1,\"b\":2}", "{\"b\":1,\"a\":2}"},
                   {"{\"a\":1}"}}));

INSTANTIATE_TEST_SUITE_P(
    Arrays, JsonSchema,
    testing::Values(
        SchemaCase{R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
                   {"[1]", "[1, 2, 3]", "[\n  1\n]"},
                   {"[]", "[1,2,3,4]", "[1,\"2\"]", "[1,]"}},
        SchemaCase{R"({"type":"array","prefixItems":[{"type":"string"},{"type":"null"}],
                       "items":false,"minItems":1})",
                   {"[\"a\"]", "[\"a\",null]"},
                   {"[]", "[null]", "[\"a\",null,1]"}},
        SchemaCase{
            R"({"type":"array","items":[{"type":"string"}],"additionalItems":{"type":"null"}})",
            {"[]", "[\"a\",null,null]"},
            {"[1]", "[\"a\",1]"}},
        SchemaCase{
            R"({"type":"array","maxItems":4000000000,"items":{"const":1}})", {"[1,1]"}, {"[2]"}}));

INSTANTIATE_TEST_SUITE_P(
    Combinations, JsonSchema,
    testing::Values(
        SchemaCase{R"({"anyOf":[{"type":"string","maxLength":1},{"type":"integer"}]})",
                   {"\"a\"", "5"},
                   {"\"ab\"", "null"}},
        SchemaCase{R"({"oneOf":[{"type":"integer"},{"type":"number","minimum":2}]})",
                   {"1", "2.5"},
                   {"2", "3", "1.5"}},
        SchemaCase{R"({"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]})",
                   {"{\"a\":1}", "{\"b\":1,\"c\":2}"},
                   {"{}", "{\"a\":1,\"b\":1}"}},
        SchemaCase{
            R"({"oneOf":[{"properties":{"k":{"const":"x"},"v":{"type":"integer"}},"required":["k"]},
                       {"properties":{"k":{"const":"y"},"v":{"type":"string"}},"required":["k"]}],
                       "type":"object"})",
            {R"({"k":"x","v":1})", R"({"v":"1","k":"y"})"},
            {R"({"k":"x","v":"1"})", "{}"}},
        SchemaCase{
            R"({"allOf":[{"properties":{"a":{"minimum":3}}},{"properties":{"a":{"maximum":4}}},
                       {"required":["a"]}],"type":"object"})",
            {"{\"a\":3}", "{\"a\":4,\"b\":0}"},
            {"{\"a\":5}", "{\"a\":2}", "{}"}},
        SchemaCase{R"({"type":"object","if":{"properties":{"k":{"const":1}},"required":["k"]},
                       "then":{"required":["a"]},"else":{"required":["b"]}})",
                   {R"({"k":1,"a":0})", R"({"k":2,"b":0})", R"({"b":0})"},
                   {R"({"k":1,"b":0})", R"({"a":0})"}},
        SchemaCase{R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":
                       {"next":{"$ref":"#/$defs/n"}},"required":["v"],"additionalProperties":false,
                       "patternProperties":{"^v$":{"type":"integer"}}}}})",
                   {R"({"v":1})", R"({"next":{"v":2,"next":{"v":3}},"v":1})"},
                   {R"({"next":{},"v":1})", R"({"v":"1"})"}},
        SchemaCase{R"({"$ref":"#"})", {"1", "{}"}, {"", "x"}},
        SchemaCase{R"({"anyOf":[{"$ref":"#/$defs/endless"},{"type":"null"}],"$defs":{"endless":
                       {"type":"object","properties":{"a":{"$ref":"#/$defs/endless"}},
                       "required":["a"]}}})",
                   {"null"},
                   {"{", "{\"a\":"}}));

struct RefusedCase {
  const char* schema;
  const char* place;
  const char* keyword;
};

class RefusedSchema : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedSchema, NamesKeywordAndPlace) {
  SchemaOptions options;
  options.place = "tools[0]";
  const auto grammar = compile_json_schema(GetParam().schema, options);
  ASSERT_FALSE(grammar);
  EXPECT_EQ(grammar.error().code, Code::kInvalidArgument);
  const std::string& message = grammar.error().message;
  EXPECT_TRUE(message.starts_with(GetParam().place)) << message;
  EXPECT_NE(message.find(GetParam().keyword), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Schemas, RefusedSchema,
    testing::Values(
        RefusedCase{R"({"properties":{"a":{"uniqueItems":true}}})",
                    "tools[0].properties.a:", "\"uniqueItems\""},
        RefusedCase{R"x({"items":[{"pattern":"(?=a)"}]})x", "tools[0].items[0]:", "look-around"},
        RefusedCase{R"({"pattern":"\\bword"})", "tools[0]:", "\\b"},
        RefusedCase{R"({"pattern":"(a|b)*a(a|b){40}"})", "tools[0]:", "\"pattern\""},
        RefusedCase{R"({"pattern":"((a{900}){900}){900}"})", "tools[0]:", "\"pattern\""},
        RefusedCase{R"({"pattern":"(){4294967290}"})", "tools[0]:", "\"pattern\""},
        RefusedCase{R"({"format":"idn-email"})", "tools[0]:", "idn-email"},
        RefusedCase{R"({"$ref":"https://example.org/x"})", "tools[0]:", "\"$ref\""},
        RefusedCase{R"({"$ref":"#/nowhere"})", "tools[0]:", "#/nowhere"},
        RefusedCase{R"({"not":{"additionalProperties":{"type":"null"}}})",
                    "tools[0].not:", "\"additionalProperties\""},
        RefusedCase{R"({"minLength":-1})", "tools[0]:", "\"minLength\""},
        RefusedCase{R"({"type":"text"})", "tools[0]:", "\"type\""},
        RefusedCase{R"({"multipleOf":0})", "tools[0]:", "\"multipleOf\""},
        RefusedCase{R"({"required":"a"})", "tools[0]:", "\"required\""},
        RefusedCase{R"({"minProperties":2})", "tools[0]:", "\"minProperties\""},
        RefusedCase{R"({"type":"object","properties":{"a":false},"required":["a"]})",
                    "tools[0]:", "cannot be satisfied"},
        RefusedCase{"[]", "tools[0]", "must be"}, RefusedCase{"{", "tools[0]", "JSON"}));

TEST(JsonSchemaBounds, ManyAlternativesAreRefused) {
  std::string schema = "{\"allOf\":[";
  for (int i = 0; i < 40; ++i) {
    schema += (i == 0 ? "" : ",") + std::string("{\"anyOf\":[{\"required\":[\"a") +
              std::to_string(i) + "\"]},{\"required\":[\"b" + std::to_string(i) + "\"]}]}";
  }
  const auto grammar = compile_json_schema(schema + "]}", {});
  ASSERT_FALSE(grammar);
  EXPECT_NE(grammar.error().message.find("alternatives"), std::string::npos);
}

TEST(JsonSchemaBounds, DeepAndLargeSchemasAreRefused) {
  std::string deep;
  for (int i = 0; i < 5'000; ++i) deep += "{\"items\":";
  EXPECT_FALSE(compile_json_schema(deep, {}));
  EXPECT_FALSE(compile_json_schema(std::string(kSchemaBytesMax + 1, ' '), {}));
  std::string wide = "{\"properties\":{";
  for (int i = 0; i < 2'000; ++i) wide += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":{}";
  EXPECT_FALSE(compile_json_schema(wide + "}}", {}));
}

// Each is within the bounds of one automaton; together they would take minutes.
TEST(JsonSchemaBounds, ManyCostlyPatternsAreRefused) {
  std::string schema = "{\"properties\":{";
  for (int i = 0; i < 1'000; ++i) {
    const std::string number = std::to_string(i);
    schema +=
        (i == 0 ? "\"p" : ",\"p") + number + "\":{\"pattern\":\"(a|b)*a(a|b){11}" + number + "\"}";
  }
  const auto grammar = compile_json_schema(schema + "}}", {});
  ASSERT_FALSE(grammar);
  EXPECT_NE(grammar.error().message.find("too large"), std::string::npos);
}

TEST(JsonSchemaOptions, ObjectOnly) {
  SchemaOptions options;
  options.object_only = true;
  const auto grammar = compile_json_schema("{}", options);
  ASSERT_TRUE(grammar);
  EXPECT_TRUE(accepts(*grammar, "{\"a\":[]}"));
  EXPECT_FALSE(accepts(*grammar, "[]"));
  EXPECT_TRUE(accepts(any_json_object(), "{}"));
}

}  // namespace
}  // namespace backplane::local
