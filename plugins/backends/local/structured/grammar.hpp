// SPDX-License-Identifier: Apache-2.0
// What a text may look like: JSON by a schema, fixed words, and both put together. A Grammar is
// compiled once, on whichever thread prepares the request (milliseconds), and is immutable from
// then on: any thread, shared by every constraint that follows it (its owners are those who hold
// the pointer). What follows it token by token is made by make_constraint (grammar_constraint.hpp).
//
// Schemas: JSON Schema draft 4 to 2020-12 as docs/structured_output.md tells. What cannot be
// enforced exactly is refused with kInvalidArgument, in a sentence that names keyword and place;
// so is what goes beyond the bounds below. Nothing in a schema can hang or crash the compiler.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

inline constexpr std::size_t kSchemaBytesMax = 512 * 1024;
inline constexpr std::size_t kSchemaDepthMax = 64;           // of the schema's own JSON
inline constexpr std::size_t kSchemaPlacesMax = 8'192;       // distinct kinds of value it describes
inline constexpr std::size_t kSchemaBranchesMax = 128;       // alternatives at one place
inline constexpr std::size_t kPropertiesMax = 1'024;         // named in one object
inline constexpr std::size_t kAutomatonStatesMax = 40'000;   // of one pattern, number or name set
inline constexpr std::size_t kAutomataBytesMax = 64u << 20;  // of all of a grammar
inline constexpr std::uint64_t kAutomatonCostMax = 10'000'000;  // steps to build one
inline constexpr std::uint64_t kAutomataCostMax = 20'000'000;   // and all of a grammar
inline constexpr std::size_t kExpansionsMax = 100'000;  // of "anyOf" and its like, in a schema
inline constexpr std::size_t kMarkerBytesMax = 256;     // of a marker or trigger; never empty
inline constexpr std::uint32_t kRepeatUnbounded = std::numeric_limits<std::uint32_t>::max();

class Grammar;
using GrammarPointer = std::shared_ptr<const Grammar>;

struct SchemaOptions {
  // What error messages call the schema: "response_format.json_schema.schema".
  std::string place = "schema";
  // The text is a JSON object whatever else the schema allows: tool arguments, json_object.
  bool object_only = false;
};

// One JSON value that the schema accepts, from its first byte to its last: properties in any order,
// between tokens a space, or a line break and an indentation, or nothing.
Result<GrammarPointer> compile_json_schema(std::string_view schema_json,
                                           const SchemaOptions& options);
// Any JSON object.
GrammarPointer any_json_object();

// Exactly these bytes.
GrammarPointer literal(std::string_view text);
// The control token of this text ("[TOOL_CALLS]") or, where the vocabulary has none, its letters.
GrammarPointer marker(std::string_view text);
// All that a regular expression of the subset for `pattern` matches whole; `place` for errors.
Result<GrammarPointer> matching(std::string_view pattern, std::string_view place);
// One of them; at least one is given.
GrammarPointer choice(const std::vector<GrammarPointer>& options);
// One after the other; nothing where none is given.
GrammarPointer sequence(const std::vector<GrammarPointer>& parts);
// `part`, which cannot be empty, at least `min` and at most `max` times; max >= 1.
GrammarPointer repeat(const GrammarPointer& part, std::uint32_t min, std::uint32_t max);

// Where a marker appears in free text, `then` must follow it.
struct Trigger {
  std::string text;     // whether the model writes it as a control token or by letters
  GrammarPointer then;  // what comes after `text`
};
// Any text, control tokens included, until one of the triggers is complete; then what it demands,
// and nothing after that (put free_text or repeat into `then` for more). With `may_end` the text
// may end before any trigger; with no triggers it must be able to. The first trigger that is
// complete counts, of several the one given first.
GrammarPointer free_text(const std::vector<Trigger>& triggers, bool may_end);

}  // namespace backplane::local
