// SPDX-License-Identifier: Apache-2.0
#include "common/body_splice.hpp"

#include <simdjson.h>

#include <backplane/plugin.hpp>
#include <cassert>

namespace backplane::dialect {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kIncludeUsage = "\"include_usage\":true";

// Where the raw JSON of `value` stands, without the space behind it. Empty: no value.
std::string_view raw_of(simdjson::simdjson_result<ondemand::value> value) {
  std::string_view raw;
  ondemand::object object;
  if (value.get_object().get(object) == simdjson::SUCCESS) {
    if (object.raw_json().get(raw) != simdjson::SUCCESS) return {};
  } else if (value.raw_json_token().get(raw) != simdjson::SUCCESS) {
    return {};
  }
  return raw.substr(0, raw.find_last_not_of(kSpace) + 1);
}

// The raw value of the member `name` of the object `text`, as a part of `text`.
std::string_view value_of(std::string_view text, std::size_t readable, std::string_view name) {
  simdjson::padded_string copy;
  std::string_view scanned = text;
  if (readable < text.size() + simdjson::SIMDJSON_PADDING) {
    copy = simdjson::padded_string(text);
    scanned = copy;
    readable = text.size() + simdjson::SIMDJSON_PADDING;
  }
  ondemand::parser parser;
  ondemand::document document;
  if (parser.iterate(scanned.data(), scanned.size(), readable).get(document) != simdjson::SUCCESS) {
    return {};
  }
  const std::string_view raw = raw_of(document.find_field_unordered(name));
  if (raw.empty()) return {};
  return text.substr(static_cast<std::size_t>(raw.data() - scanned.data()), raw.size());
}

}  // namespace

std::string json_string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (byte == '"' || byte == '\\') {
      out += {'\\', byte};
    } else if (code < 0x20) {
      out += {'\\', 'u', '0', '0', kHex[code >> 4U], kHex[code & 15U]};
    } else {
      out += byte;
    }
  }
  return out + '"';
}

Result<BodySplice> BodySplice::make(const bp_request& request, bool ask_usage,
                                    const RequestRules& rules) {
  BodySplice splice;
  splice.body_ = view(request.body);
  const std::size_t open = splice.body_.find_first_not_of(kSpace);
  if (open == std::string_view::npos || splice.body_[open] != '{') {
    return invalid_argument("the request body is not a JSON object");
  }
  splice.first_member_ = open + 1;
  if (!rules.empty()) {
    Result<RuledBody> ruled =
        apply_rules(rules, splice.body_, request.body.size + request.body.padding);
    if (!ruled) return ruled.error();
    splice.is_emptied_ = ruled->is_emptied;
    splice.edits_ = std::move(ruled->edits);
    splice.dropped_ = std::move(ruled->dropped);
    for (std::string& member : ruled->added) splice.insert_member(std::move(member));
  }
  splice.name_model(request);
  if (ask_usage) {
    if ((request.flags & BP_REQUEST_STREAM_OPTIONS) != 0) {
      splice.ask_for_usage(request.body);
    } else {
      splice.insert_member("\"stream_options\":{" + std::string(kIncludeUsage) + '}');
    }
  }
  sort_edits(splice.edits_);
  return splice;
}

Result<BodySplice> BodySplice::make_form(const bp_request& request) {
  BodySplice splice;
  splice.body_ = view(request.body);
  const std::string_view name = view(request.model);
  if (name.empty()) return splice;
  if (request.model_size == 0) return invalid_argument("model: the form has no such field");
  assert(request.model_offset + request.model_size <= splice.body_.size());
  // A line end could begin a boundary.
  if (name.find_first_of("\r\n") != std::string_view::npos) {
    return invalid_argument("model: expected a name of one line");
  }
  if (splice.body_.substr(request.model_offset, request.model_size) != name) {
    splice.edits_.push_back({request.model_offset, request.model_size, std::string(name)});
  }
  return splice;
}

BodySplice BodySplice::of_text(std::string text) {
  BodySplice splice;
  splice.edits_.push_back({0, 0, std::move(text)});
  return splice;
}

void BodySplice::name_model(const bp_request& request) {
  if (request.model.size == 0) return;
  std::string name = json_string(view(request.model));
  if (request.model_size == 0) {
    insert_member("\"model\":" + name);
    return;
  }
  assert(request.model_offset >= first_member_);
  assert(request.model_offset + request.model_size <= body_.size());
  if (body_.substr(request.model_offset, request.model_size) == name) return;
  edits_.push_back({request.model_offset, request.model_size, std::move(name)});
}

void BodySplice::ask_for_usage(const bp_buffer& body) {
  const std::string_view options = value_of(body_, body.size + body.padding, "stream_options");
  if (options == "null") {
    edits_.push_back({static_cast<std::size_t>(options.data() - body_.data()), options.size(),
                      '{' + std::string(kIncludeUsage) + '}'});
  } else if (!options.empty() && options.front() == '{') {
    edit_options(options);
  }
}

void BodySplice::edit_options(std::string_view options) {
  const auto offset = static_cast<std::size_t>(options.data() - body_.data());
  const std::string_view wanted = value_of(options, options.size(), "include_usage");
  if (!wanted.empty()) {
    edits_.push_back(
        {static_cast<std::size_t>(wanted.data() - body_.data()), wanted.size(), "true"});
    return;
  }
  const bool is_empty = options[options.find_first_not_of(kSpace, 1)] == '}';
  edits_.push_back({offset + 1, 0, std::string(kIncludeUsage) + (is_empty ? "" : ",")});
}

void BodySplice::insert_member(std::string member) {
  const std::size_t next = body_.find_first_not_of(kSpace, first_member_);
  const bool is_empty = is_emptied_ || (next != std::string_view::npos && body_[next] == '}');
  for (TextEdit& edit : edits_) {
    if (edit.offset != first_member_ || edit.removed_size != 0) continue;
    edit.inserted = member + ',' + edit.inserted;
    return;
  }
  edits_.push_back({first_member_, 0, std::move(member) + (is_empty ? "" : ",")});
}

std::vector<bp_str> BodySplice::pieces() const {
  std::vector<bp_str> pieces;
  pieces.reserve(2 * edits_.size() + 1);
  std::size_t at = 0;
  for (const TextEdit& edit : edits_) {
    if (edit.offset > at) pieces.push_back(str(body_.substr(at, edit.offset - at)));
    pieces.push_back(str(edit.inserted));
    at = edit.offset + edit.removed_size;
  }
  if (at < body_.size()) pieces.push_back(str(body_.substr(at)));
  return pieces;
}

}  // namespace backplane::dialect
