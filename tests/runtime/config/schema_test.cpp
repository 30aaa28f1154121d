// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/schema.hpp"

#include <gtest/gtest.h>

#include "runtime/config/deployment_schema.hpp"
#include "runtime/config/editor_schema.hpp"
#include "runtime/config/json.hpp"
#include "tests/runtime/config/fake_schemas.hpp"

namespace backplane::config {
namespace {

std::string error_of(const std::string& schema) {
  const Result<Schema> compiled = compile_schema(schema);
  return compiled ? "" : compiled.error().message;
}

TEST(Schema, SaysWhatItCannotCheck) {
  EXPECT_EQ(error_of(R"({"properties": {"a/b": {"type": "int"}}})"),
            "/properties/a~1b: type \"int\" does not exist");
  EXPECT_EQ(error_of(R"({"items": {"allOf": []}})"), "/items: keyword \"allOf\" is not supported");
  EXPECT_EQ(error_of(R"({"pattern": "("})"), "\"(\" is no regular expression");
  EXPECT_EQ(error_of(R"({"type": "object", "x-secret": true})"), "x-secret needs type string");
  EXPECT_EQ(error_of(R"({"minLength": -1})"), "lengths must be integers >= 0");
  EXPECT_EQ(error_of(R"({"minimum": "1"})"), "minimum and maximum must be numbers");
  EXPECT_EQ(error_of(R"([])"), "a schema must be an object");
  EXPECT_EQ(error_of(R"({"properties": []})"), "properties must be an object");
  EXPECT_EQ(error_of(R"({"required": "a"})"), "required must be an array");
  EXPECT_EQ(error_of(R"({"enum": []})"), "enum must be an array of values");
  EXPECT_EQ(error_of(R"({"oneOf": [{"type": "object"}, {"type": "object"}]})"),
            "oneOf branches must differ by type or by a property with const");
  EXPECT_EQ(error_of("{").find("not JSON: "), 0u);
  EXPECT_EQ(error_of(std::string(200, '[')).find("not JSON: "), 0u);
}

TEST(Schema, IgnoresAnnotations) {
  EXPECT_EQ(error_of(R"({"$schema": "x", "title": "t", "examples": [1], "x-unit": "ms"})"), "");
}

TEST(Schema, OfADeploymentCompiles) {
  EXPECT_EQ(error_of(std::string(deployment_schema_json())), "");
  EXPECT_TRUE(deployment_schema().is_closed);
}

TEST(EditorSchema, HoldsTheSettingsOfEveryPlugin) {
  const Result<std::string> text = editor_schema(FakeSchemas(), {});
  ASSERT_TRUE(text) << text.error().message;
  const Result<Node> tree = parse_json(*text);
  ASSERT_TRUE(tree);
  const Node* backend = tree->find("properties")->find("backends")->find("additionalProperties");
  const Node* conditions = backend->find("allOf");
  ASSERT_TRUE(conditions);
  ASSERT_EQ(conditions->items.size(), 3u);
  const Node& cloud = conditions->items[0];
  EXPECT_EQ(to_canonical_json(*cloud.find("if")),
            R"J({"properties":{"uses":{"pattern":"^cloud(@|$)"}},"required":["uses"]})J");
  const Node* settings = cloud.find("then")->find("properties")->find("settings");
  const Node* key = settings->find("properties")->find("api_key");
  EXPECT_EQ(to_canonical_json(key->find("anyOf")->items[1]), R"({"$ref":"#/$defs/reference"})");
  EXPECT_TRUE(tree->find("$defs")->find("reference"));
}

TEST(EditorSchema, GivesThatOfOnePlugin) {
  const Result<std::string> text = plugin_settings_schema(FakeSchemas(), {}, "disk");
  ASSERT_TRUE(text);
  EXPECT_TRUE(compile_schema(*text));
  const Result<std::string> unknown = plugin_settings_schema(FakeSchemas(), {}, "dsk");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("did you mean \"disk\"?"), std::string::npos);
}

TEST(MarkdownTables, ListKeysTypesAndDefaults) {
  const Result<std::string> text = markdown_tables(R"({
    "type": "object", "required": ["a"], "properties": {
      "a": {"type": "string", "x-secret": true, "description": "One | two."},
      "b": {"type": "object", "description": "Many.", "additionalProperties": {
        "type": "object", "properties": {
          "c": {"type": "integer", "minimum": 1, "default": 2},
          "d": {"type": "array", "items": {"type": "object", "properties": {
            "e": {"type": "string", "x-path": true}}}}}}}}})");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            "| key | type | default | meaning |\n|---|---|---|---|\n"
            "| `a` | string, secret | required | One \\| two. |\n"
            "\n### b\n\nMany.\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
            "| `NAME.c` | integer >= 1 | `2` |  |\n"
            "| `NAME.d` | list of mapping |  |  |\n"
            "| `NAME.d[].e` | string, a path |  |  |\n");
}

TEST(MarkdownTables, CoverTheDeployment) {
  const Result<std::string> text = markdown_tables(deployment_schema_json());
  ASSERT_TRUE(text);
  for (const char* part : {"### backends", "`NAME.routes[].backend`", "`max_body_bytes`",
                           "`16777216`", "### plugins", "`sha256.NAME`"}) {
    EXPECT_NE(text->find(part), std::string::npos) << part << "\n" << *text;
  }
}

}  // namespace
}  // namespace backplane::config
