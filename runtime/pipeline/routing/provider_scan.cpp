// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/routing/provider_scan.hpp"

#include "runtime/config/price.hpp"

#include <array>
#include <string_view>

namespace backplane {
namespace {

namespace od = simdjson::ondemand;

Error bad(std::string_view member, std::string_view message) {
  std::string text = "provider";
  if (!member.empty()) text += '.' + std::string(member);
  return {Code::kInvalidArgument, text + ": " + std::string(message), "INVALID_REQUEST", 400, 0};
}

Status read_names(std::string_view member, od::value& value, std::vector<std::string>& out) {
  constexpr std::size_t kNamesMax = 64;
  constexpr std::size_t kNameBytesMax = 256;
  od::array names;
  if (value.get_array().get(names)) return bad(member, "expected an array of names");
  for (auto element : names) {
    std::string_view name;
    if (element.get_string().get(name)) return bad(member, "expected an array of names");
    if (name.empty() || name.size() > kNameBytesMax) return bad(member, "no provider's name");
    if (out.size() == kNamesMax) return bad(member, "expected at most 64 names");
    out.emplace_back(name);
  }
  return ok();
}

Status read_choice(std::string_view member, od::value& value, std::string_view yes,
                   std::string_view no, bool& out) {
  std::string_view text;
  const bool is_text = !value.get_string().get(text);
  out = is_text && text == yes;
  if (out || (is_text && text == no)) return ok();
  return bad(member, "expected \"" + std::string(yes) + "\" or \"" + std::string(no) + '"');
}

Status read_flag(std::string_view member, od::value& value, bool& out) {
  if (value.get_bool().get(out)) return bad(member, "expected true or false");
  return ok();
}

Status read_sort(od::value& value, ProviderPreferences& out) {
  std::string_view text;
  const bool is_text = !value.get_string().get(text);
  if (is_text && text == "price") {
    out.sort = ProviderPreferences::Sort::kPrice;
  } else if (is_text && (text == "throughput" || text == "latency")) {
    out.sort = ProviderPreferences::Sort::kSpeed;
  } else {
    return bad("sort", "expected \"price\", \"throughput\" or \"latency\"");
  }
  return ok();
}

Status read_price(std::string_view member, od::value& value, std::optional<std::int64_t>& out) {
  od::json_type type;
  if (value.type().get(type)) return bad(member, "expected a number");
  std::string_view text;
  if (type == od::json_type::number) {
    text = value.raw_json_token();
    text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  } else if (type != od::json_type::string || value.get_string().get(text)) {
    return bad(member, "expected a number");
  }
  const Result<std::int64_t> price = config::parse_nano_usd(text);
  if (!price || *price < 0) return bad(member, "expected USD per million tokens, like 0.59");
  out = *price;
  return ok();
}

Status read_max_price(od::value& value, ProviderPreferences& out) {
  od::object prices;
  if (value.get_object().get(prices)) return bad("max_price", "expected an object");
  for (auto field : prices) {
    std::string_view key;
    od::value price;
    if (field.unescaped_key().get(key) || field.value().get(price)) {
      return bad("max_price", "not valid JSON");
    }
    Status status = ok();
    if (key == "prompt") {
      status = read_price("max_price.prompt", price, out.input_price_max);
    } else if (key == "completion") {
      status = read_price("max_price.completion", price, out.output_price_max);
    } else {
      status = bad("max_price", "expected prompt and completion alone");
    }
    if (!status) return status;
  }
  return ok();
}

Status read_member(std::string_view key, od::value& value, ProviderPreferences& out) {
  if (key == "order") return read_names(key, value, out.order);
  if (key == "only") return read_names(key, value, out.only);
  if (key == "ignore") return read_names(key, value, out.ignore);
  if (key == "allow_fallbacks") return read_flag(key, value, out.allow_fallbacks);
  if (key == "max_price") return read_max_price(value, out);
  if (key == "sort") return read_sort(value, out);
  bool is_private = false;
  Status status = ok();
  if (key == "data_collection") {
    status = read_choice(key, value, "deny", "allow", is_private);
  } else if (key == "zdr") {
    status = read_flag(key, value, is_private);
  } else {
    constexpr std::size_t kShownBytesMax = 64;
    return bad(key.size() <= kShownBytesMax ? key : "",
               "not known here; known are order, only, ignore, allow_fallbacks, max_price, "
               "data_collection, zdr and sort");
  }
  out.is_private |= is_private;
  return status;
}

}  // namespace

Status scan_provider(od::value& value, ProviderPreferences& out) {
  od::object object;
  if (value.get_object().get(object)) return bad("", "expected a name or an object");
  for (auto field : object) {
    std::string_view key;
    od::value member;
    if (field.unescaped_key().get(key) || field.value().get(member)) {
      return bad("", "not valid JSON");
    }
    const std::string name(key);  // reading the value may take its place
    od::json_type type;
    if (member.type().get(type)) return bad(name, "not valid JSON");
    if (type == od::json_type::null) {
      if (member.is_null().error()) return bad(name, "not valid JSON");
      continue;
    }
    if (const Status read = read_member(name, member, out); !read) return read;
  }
  return ok();
}

}  // namespace backplane
