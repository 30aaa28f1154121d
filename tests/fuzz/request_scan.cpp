// SPDX-License-Identifier: Apache-2.0
// The scan of a request's body against a parse into a tree: the same is refused, the same is read.
#include "runtime/pipeline/request_scan.hpp"

#include <simdjson.h>

#include <string>
#include <utility>

#include "tests/fuzz/fuzzing.hpp"

namespace backplane::fuzz {
namespace {

namespace dom = simdjson::dom;

constexpr std::uint32_t kDepthMax = 12;
constexpr std::uint64_t kNameMaxBytes = 40;

// Numbers too large and halves of surrogates are for whoever uses them to refuse.
bool is_of_values(simdjson::error_code code) {
  return code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR;
}

bool fits(const dom::element& value, std::uint32_t depth) {
  if (!value.is_object() && !value.is_array()) return true;
  if (depth > kDepthMax) return false;
  if (value.is_array()) {
    for (const dom::element member : value.get_array()) {
      if (!fits(member, depth + 1)) return false;
    }
    return true;
  }
  for (const auto field : value.get_object()) {
    if (!fits(field.value, depth + 1)) return false;
  }
  return true;
}

// What the scan should find; nothing where it should refuse.
class Expected {
 public:
  bool read(const dom::object& object) {
    for (const auto field : object) {
      if (!member(field.key, field.value)) return false;
    }
    return true;
  }
  RequestScan scan;
  // An object of `provider` has rules of its own, which are not told here.
  bool is_open() const { return is_open_; }

 private:
  bool member(std::string_view key, const dom::element& value) {
    if (key == "model") return once(0) && name(value);
    if (key == "provider") return once(1) && provider(value);
    if (key == "stream") return once(2) && flag(value, scan.stream);
    if (key == "stream_options") return once(3) && options(value);
    if (key == "max_tokens") return once(4) && limit(value);
    if (key == "max_completion_tokens") return once(5) && limit(value);
    return fits(value, 2);
  }
  bool once(std::size_t which) { return !std::exchange(seen_[which], true); }

  bool name(const dom::element& value) {
    std::string_view text;
    if (value.get(text) || text.empty() || text.size() > kNameMaxBytes) return false;
    scan.model = text;
    return true;
  }
  bool provider(const dom::element& value) {
    if (value.is_object()) return is_open_ = true;
    std::string_view text;
    if (value.is_null()) return true;
    if (value.get(text)) return false;
    scan.provider.pinned = text;
    return true;
  }
  static bool flag(const dom::element& value, bool& out) {
    return value.is_null() || !value.get(out);
  }
  bool options(const dom::element& value) {
    scan.stream_options = true;
    if (value.is_null()) return true;
    dom::object object;
    if (value.get(object)) return false;
    bool seen = false;
    for (const auto field : object) {
      if (field.key == "include_usage") {
        if (std::exchange(seen, true) || !flag(field.value, scan.include_usage)) return false;
      } else if (!fits(field.value, 2)) {
        return false;
      }
    }
    return true;
  }
  bool limit(const dom::element& value) {
    std::int64_t most = 0;
    if (value.is_null()) return true;
    if (value.get(most) || most < 1) return false;
    scan.max_output_tokens = std::max(scan.max_output_tokens, static_cast<std::uint64_t>(most));
    return true;
  }

  bool seen_[6] = {};
  bool is_open_ = false;
};

std::string show(const RequestScan& scan) {
  return scan.model + "|" + scan.provider.pinned + "|" + std::to_string(scan.max_output_tokens) +
         "|" + std::to_string(scan.stream) + std::to_string(scan.stream_options) +
         std::to_string(scan.include_usage);
}

Result<RequestScan> scan(std::string_view body, std::uint32_t padding) {
  std::string bytes(body);
  bytes.append(padding, '\0');
  bp_buffer buffer{};
  buffer.data = bytes.data();
  buffer.size = body.size();
  buffer.padding = padding;
  return scan_request(buffer, {kDepthMax, kNameMaxBytes});
}

void check_place(std::string_view body, const RequestScan& found) {
  expect(found.prefix_offset + found.prefix_size <= body.size(), "the prefix is behind the body");
  if (found.model_size == 0) return;
  expect(found.model_offset + found.model_size <= body.size(), "the model is behind the body");
  const std::string written(body.substr(found.model_offset, found.model_size));
  expect(written.size() >= 2 && written.front() == '"' && written.back() == '"',
         "where the model stands is no string");
  dom::parser parser;
  std::string_view text;
  expect(!parser.parse("[" + written + "]").at(0).get(text) && text == found.model,
         "where the model stands is another string");
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane;
  using namespace backplane::fuzz;
  const std::string_view body = text_of(data, size);
  const Result<RequestScan> found = scan(body, 64);
  const Result<RequestScan> bare = scan(body, 0);
  expect(static_cast<bool>(found) == static_cast<bool>(bare), "padding changes the verdict");
  expect_same(found ? show(*found) : found.error().message,
              bare ? show(*bare) : bare.error().message, "padding changes what is found");
  if (found) check_place(body, *found);

  static dom::parser parser;
  dom::element tree;
  const auto failure = parser.parse(body.data(), body.size()).get(tree);
  if (is_of_values(failure)) return 0;
  dom::object object;
  Expected expected;
  const bool is_good = !failure && !tree.get(object) && expected.read(object);
  if (is_good && expected.is_open()) return 0;
  if (found) {
    expect(is_good, "taken, though a tree says no");
    expect_same(show(*found), show(expected.scan), "another request was read");
    return 0;
  }
  const bool by_escape = found.error().message.find("without escapes") != std::string::npos;
  if (is_good && !by_escape) expect_same(found.error().message, "", "refused, though all is well");
  return 0;
}
