// SPDX-License-Identifier: Apache-2.0
// The subset of JSON Schema 2020-12 that settings are described in: type, properties, required,
// additionalProperties, propertyNames, enum, const, minimum, maximum, minLength, maxLength,
// pattern, minItems, maxItems, items, default, description, oneOf, and two words of our own:
// x-secret (a string that is never shown) and x-path (a path, relative to the file it is written
// in). oneOf branches differ by type, or by a property with a `const` in each (the discriminator).
// Annotations are ignored; any other keyword makes the schema invalid, so that nothing is checked
// half.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/result.hpp"
#include "runtime/config/node.hpp"

namespace backplane::config {

// A regular expression (ECMAScript) that is searched in a string.
class Pattern {
 public:
  static Result<Pattern> compile(const std::string& text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Strings longer than kPatternSubjectMaxBytes never match.
  bool matches(const std::string& subject) const;
  const std::string& text() const { return text_; }

 private:
  struct Program;
  Pattern(std::string text, std::unique_ptr<Program> program);
  std::string text_;
  std::unique_ptr<Program> program_;
};

inline constexpr std::size_t kPatternSubjectMaxBytes = 4096;

// A set of NodeKinds; integers are numbers too.
class Types {
 public:
  void add(NodeKind kind) { bits_ |= 1u << static_cast<unsigned>(kind); }
  // Nothing added means anything goes.
  bool allows(NodeKind kind) const { return bits_ == 0 || (bits_ & bit(kind)) != 0; }
  bool names(NodeKind kind) const { return (bits_ & bit(kind)) != 0; }
  bool is_empty() const { return bits_ == 0; }

 private:
  static unsigned bit(NodeKind kind) { return 1u << static_cast<unsigned>(kind); }
  unsigned bits_ = 0;
};

struct Property;

struct Schema {
  std::string pointer;  // of this part within the whole: /properties/timeout_ms
  std::string description;
  Types types;
  std::vector<Property> properties;
  std::vector<std::string> required;
  bool is_closed = false;              // additionalProperties: false
  std::unique_ptr<Schema> additional;  // additionalProperties: {...}
  std::unique_ptr<Schema> names;       // propertyNames
  std::unique_ptr<Schema> items;
  std::vector<Schema> alternatives;  // oneOf
  std::string discriminator;         // the property that tells mappings of oneOf apart
  std::vector<Node> choices;         // enum, or the one value of const
  bool is_constant = false;
  std::optional<Node> fallback;  // default
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<std::size_t> min_length;  // in characters
  std::optional<std::size_t> max_length;
  std::optional<std::size_t> min_items;
  std::optional<std::size_t> max_items;
  std::optional<Pattern> pattern;
  bool is_secret = false;
  bool is_path = false;

  const Schema* find_property(std::string_view key) const;
  bool takes_only_scalars() const;
};

struct Property {
  std::string key;
  Schema schema;
};

// Fails with the JSON pointer of the first thing that is wrong.
Result<Schema> compile_schema(std::string_view json);
Result<Schema> compile_schema(const Node& tree);

}  // namespace backplane::config
