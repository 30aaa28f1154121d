// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/structured/schema_document.hpp"

#include <cctype>
#include <optional>

#include "plugins/backends/local/files/json_file.hpp"
#include "plugins/backends/local/structured/grammar.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

const void* identity(const json::value& value) {
  return value.is_object() ? static_cast<const void*>(&value.get_object()) : &value;
}

// The path to a part, as far as names and numbers go.
bool find_path(const json::value& value, const void* part, std::string& path) {
  if (identity(value) == part) return true;
  const std::size_t size = path.size();
  if (value.is_object()) {
    for (const auto& member : value.get_object()) {
      path.append(".").append(member.key());
      if (find_path(member.value(), part, path)) return true;
      path.resize(size);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.get_array().size(); ++i) {
      path += "[" + std::to_string(i) + "]";
      if (find_path(value.get_array()[i], part, path)) return true;
      path.resize(size);
    }
  }
  return false;
}

// RFC 3986, section 5, as far as the identifiers of schemas go.
std::string resolve_uri(std::string_view base, std::string_view reference) {
  const std::size_t colon = reference.find(':');
  if (colon != std::string_view::npos && colon < reference.find('/')) return std::string(reference);
  const std::size_t scheme = base.find("://");
  const std::size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
  if (reference.starts_with('/')) {
    return std::string(base.substr(0, std::min(base.find('/', authority), base.size()))) +
           std::string(reference);
  }
  if (reference.starts_with("./")) reference.remove_prefix(2);
  const std::size_t slash = base.rfind('/');
  const bool in_path = slash != std::string_view::npos && slash >= authority;
  return std::string(in_path ? base.substr(0, slash + 1) : "") + std::string(reference);
}

bool holds_data(std::string_view keyword) {
  return keyword == "enum" || keyword == "const" || keyword == "default" || keyword == "examples" ||
         keyword == "example";
}

// Whole characters, at most so many bytes of them.
std::string shorten(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  while (bytes_max > 0 && (text[bytes_max] & 0xc0) == 0x80) --bytes_max;
  return std::string(text.substr(0, bytes_max)) + "...";
}

std::string undo_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_hex = [&](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text[i] == '%' && is_hex(i + 1) && is_hex(i + 2)) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// RFC 6901.
const json::value* follow(const json::value& from, std::string_view pointer) {
  boost::system::error_code failure;
  const json::value* found = from.find_pointer(undo_percent(pointer), failure);
  return failure ? nullptr : found;
}

}  // namespace

Result<SchemaDocument> SchemaDocument::parse(std::string_view text, std::string place) {
  if (text.size() > kSchemaBytesMax) {
    return invalid_argument(place + " has " + std::to_string(text.size()) + " bytes; at most " +
                            std::to_string(kSchemaBytesMax) + " are taken");
  }
  json::parse_options options;
  options.max_depth = kSchemaDepthMax;
  boost::system::error_code failure;
  auto root = std::make_unique<json::value>(json::parse(text, failure, {}, options));
  if (failure) {
    return invalid_argument(place + " is no JSON that can be read (at most " +
                            std::to_string(kSchemaDepthMax) + " levels): " + failure.message());
  }
  if (!root->is_object() && !root->is_bool()) {
    return invalid_argument(place + " must be a JSON object, or true or false");
  }
  SchemaDocument document;
  document.place_ = std::move(place);
  document.root_ = std::move(root);
  document.index(*document.root_, "");
  return document;
}

bool SchemaDocument::has_dialect() const {
  return root_->is_object() && root_->get_object().if_contains("$schema") != nullptr;
}

void SchemaDocument::name(std::string uri, const json::value& part) {
  const auto [entry, is_new] = names_.try_emplace(std::move(uri), &part);
  if (!is_new) entry->second = nullptr;  // two parts of one name: neither is found
}

bool SchemaDocument::is_reference_alone(const json::object& object) const {
  if (object.if_contains("$ref") == nullptr || !root_->is_object()) return false;
  return text_field(root_->get_object(), "$schema").find("draft-0") != std::string_view::npos;
}

void SchemaDocument::index(const json::value& part, std::string base) {
  if (part.is_array()) {
    for (const json::value& member : part.get_array()) index(member, base);
  }
  if (!part.is_object()) {
    if (&part == root_.get()) name(base, part);
    return;
  }
  const json::object& object = part.get_object();
  std::string_view id = text_field(object, "$id");
  if (id.empty()) id = text_field(object, "id");
  if (is_reference_alone(object)) id = {};
  const bool is_resource = !id.empty() && !id.starts_with('#');
  if (is_resource) base = resolve_uri(base, id.substr(0, id.find('#')));
  if (is_resource || &part == root_.get()) name(base, part);
  if (&part == root_.get()) root_uri_ = base;
  if (id.size() > 1 && id.starts_with('#')) name(base + std::string(id), part);
  const std::string_view anchor = text_field(object, "$anchor");
  if (!anchor.empty()) name(base + "#" + std::string(anchor), part);
  if (object.if_contains("$ref") != nullptr) bases_.emplace(&object, base);
  for (const auto& member : object) {
    if (!holds_data(member.key())) index(member.value(), base);
  }
}

Result<const json::value*> SchemaDocument::resolve(const json::object& object) const {
  const json::value& reference = object.at("$ref");
  if (!reference.is_string()) return fault(object, "$ref", "must be a string");
  const std::string_view text = reference.get_string();
  const bool is_root = root_->is_object() && &object == &root_->get_object();
  if (!is_root && object.if_contains("$id") != nullptr && !has_dialect()) {
    return fault(object, "$ref", "beside \"$id\" depends on the draft; say which by \"$schema\"");
  }
  const std::size_t hash = std::min(text.find('#'), text.size());
  const std::string_view fragment = text.substr(std::min(hash + 1, text.size()));
  const auto base = bases_.find(&object);
  std::string resource = base == bases_.end() ? root_uri_ : base->second;
  if (hash > 0) resource = resolve_uri(resource, text.substr(0, hash));
  const bool is_name = !fragment.empty() && !fragment.starts_with('/');
  const auto named = names_.find(is_name ? resource + "#" + std::string(fragment) : resource);
  const json::value* found = named == names_.end() ? nullptr : named->second;
  if (found != nullptr && !is_name) found = follow(*found, fragment);
  if (found != nullptr) return found;
  return fault(object, "$ref",
               "\"" + shorten(text, 200) + "\" is not found in the schema; others are not fetched");
}

const json::value* SchemaDocument::keep(json::value made, const json::object& origin) {
  const json::value& kept = made_.emplace_back(std::move(made));
  const auto known = origins_.find(&origin);
  origins_[identity(kept)] = known == origins_.end() ? &origin : known->second;
  return &kept;
}

std::string SchemaDocument::place_of(const void* part) const {
  const auto made = origins_.find(part);
  std::string path = place_;
  if (!find_path(*root_, made == origins_.end() ? part : made->second, path)) return place_;
  return shorten(path, 300);
}

Error SchemaDocument::fault(const json::object& object, std::string_view keyword,
                            std::string_view message) const {
  return invalid_argument(place_of(&object) + ": \"" + std::string(keyword) + "\" " +
                          std::string(message));
}

Error SchemaDocument::unsupported(const json::object& object, std::string_view keyword) const {
  return fault(object, keyword, "is not supported, since it cannot be enforced; leave it out");
}

}  // namespace backplane::local
