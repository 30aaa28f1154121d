// SPDX-License-Identifier: Apache-2.0
// The JSON of a schema: parsed within the bounds, its references resolved, each part able to say
// where it stands. Parts that the compiler makes up stand where they come from.
#pragma once

#include <backplane/result.hpp>
#include <boost/json.hpp>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace backplane::local {

class SchemaDocument {
 public:
  // `place` is what messages call the root.
  static Result<SchemaDocument> parse(std::string_view text, std::string place);
  SchemaDocument(SchemaDocument&&) = default;

  const boost::json::value& root() const { return *root_; }
  // What "$ref" of this object names.
  Result<const boost::json::value*> resolve(const boost::json::object& object) const;
  // Siblings of "$ref" count from draft 2019-09 on; before, it stands alone.
  bool is_reference_alone(const boost::json::object& object) const;
  // Keeps a part that the compiler made of `origin`.
  const boost::json::value* keep(boost::json::value made, const boost::json::object& origin);

  // "PLACE: MESSAGE", "KEYWORD is not supported" with the place of the object it stands in.
  Error fault(const boost::json::object& object, std::string_view keyword,
              std::string_view message) const;
  Error unsupported(const boost::json::object& object, std::string_view keyword) const;

 private:
  SchemaDocument() = default;
  std::string place_of(const void* part) const;
  bool has_dialect() const;
  void index(const boost::json::value& part, std::string base);
  void name(std::string uri, const boost::json::value& part);

  std::string place_;
  std::unique_ptr<boost::json::value> root_;
  std::deque<boost::json::value> made_;
  std::unordered_map<const void*, const void*> origins_;
  std::string root_uri_;
  std::unordered_map<std::string, const boost::json::value*> names_;   // by URI, or URI#anchor
  std::unordered_map<const boost::json::object*, std::string> bases_;  // of those with a "$ref"
};

}  // namespace backplane::local
