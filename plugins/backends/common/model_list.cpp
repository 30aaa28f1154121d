// SPDX-License-Identifier: Apache-2.0
#include "common/model_list.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/body_splice.hpp"

namespace backplane::dialect {
namespace {

namespace dom = simdjson::dom;

constexpr double kTokensPerMillion = 1e6;
constexpr double kPriceMax = 1e6;  // USD per million tokens; more is no price

std::string text_of(const dom::element& element, std::string_view name) {
  std::string_view text;
  if (element[name].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

std::uint64_t count_of(const dom::element& element, std::string_view pointer) {
  std::uint64_t count = 0;
  if (element.at_pointer(pointer).get(count) != simdjson::SUCCESS) return 0;
  return count;
}

bool flag_of(const dom::element& element, std::string_view pointer) {
  bool flag = false;
  return element.at_pointer(pointer).get(flag) == simdjson::SUCCESS && flag;
}

// A number, or one in a text; {"usd": number}.
std::optional<double> amount_of(const dom::element& pricing, std::string_view name) {
  dom::element member;
  dom::element usd;
  if (pricing[name].get(member) != simdjson::SUCCESS) return std::nullopt;
  if (member["usd"].get(usd) == simdjson::SUCCESS) member = usd;
  double amount = 0;
  std::string_view text;
  if (member.get(text) == simdjson::SUCCESS) {
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, amount);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  } else if (member.get(amount) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (!std::isfinite(amount) || amount < 0) return std::nullopt;  // -1: it depends
  return amount;
}

std::string decimal(std::optional<double> amount, double scale) {
  constexpr int kDigits = 9;  // what is beyond comes from the binary fraction
  if (!amount || *amount * scale > kPriceMax) return {};
  std::array<char, 64> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), *amount * scale,
                                     std::chars_format::fixed, kDigits);
  std::string_view out(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
  while (out.back() == '0') out.remove_suffix(1);
  if (out.back() == '.') out.remove_suffix(1);
  return std::string(out);
}

struct PriceNames {
  std::string_view input;
  std::string_view output;
  double scale;
};

// Per token, or per million of them: the names tell which.
constexpr std::array<PriceNames, 3> kPriceNames{{{"prompt", "completion", kTokensPerMillion},
                                                 {"input", "output", 1},
                                                 {"input_tokens", "output_tokens", 1}}};

void read_prices(const dom::element& item, ListedModel& model) {
  for (const std::string_view place : {"/pricing", "/model_spec/pricing", "/metadata/pricing"}) {
    dom::element pricing;
    if (item.at_pointer(place).get(pricing) != simdjson::SUCCESS) continue;
    for (const PriceNames& names : kPriceNames) {
      const std::string input = decimal(amount_of(pricing, names.input), names.scale);
      const std::string output = decimal(amount_of(pricing, names.output), names.scale);
      if (!input.empty()) model.input_price = input;
      if (!output.empty()) model.output_price = output;
    }
  }
}

std::string privacy_of(const dom::element& item) {
  if (flag_of(item, "/model_spec/capabilities/supportsE2EE")) return "e2ee";
  if (flag_of(item, "/model_spec/capabilities/supportsTeeAttestation")) return "tee";
  dom::element spec;
  if (item["model_spec"].get(spec) != simdjson::SUCCESS) return {};
  const std::string told = text_of(spec, "privacy");
  return told == "private" || told == "anonymized" ? told : std::string();
}

std::uint64_t context_of(const dom::element& item) {
  for (const std::string_view place :
       {"/context_length", "/context_window", "/max_model_len",
        "/model_spec/availableContextTokens", "/metadata/context_length", "/meta/n_ctx_train"}) {
    if (const std::uint64_t count = count_of(item, place); count != 0) return count;
  }
  return 0;
}

bool sees_images(const dom::element& item) {
  if (flag_of(item, "/model_spec/capabilities/supportsVision")) return true;
  dom::array kinds;
  if (item.at_pointer("/architecture/input_modalities").get(kinds) != simdjson::SUCCESS) {
    return false;
  }
  for (const dom::element kind : kinds) {
    std::string_view name;
    if (kind.get(name) == simdjson::SUCCESS && name == "image") return true;
  }
  return false;
}

}  // namespace

std::string ListedModel::describe(std::string_view as) const {
  std::string out = "{\"id\":" + json_string(as);
  if (!owned_by.empty()) out += ",\"owned_by\":" + json_string(owned_by);
  if (context_length != 0) out += ",\"context_length\":" + std::to_string(context_length);
  std::string prices;
  if (!input_price.empty()) prices = "\"input\":" + input_price;
  if (!output_price.empty()) {
    prices += (prices.empty() ? "\"output\":" : ",\"output\":") + output_price;
  }
  if (!prices.empty()) out += ",\"prices\":{" + prices + '}';
  if (sees_images) out += R"(,"modalities":{"input":["text","image"],"output":["text"]})";
  if (!privacy.empty()) out += ",\"privacy\":" + json_string(privacy);
  return out + '}';
}

Result<std::vector<ListedModel>> read_model_list(std::string_view body) {
  dom::parser parser;
  dom::element root;
  dom::array list;
  if (body.empty() || parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) {
    return invalid_argument("the list of models is not JSON");
  }
  if (root.get(list) != simdjson::SUCCESS && root["data"].get(list) != simdjson::SUCCESS) {
    return invalid_argument("the list of models has no array \"data\"");
  }
  std::vector<ListedModel> models;
  for (const dom::element item : list) {
    if (models.size() == kListedModelsMax) break;
    ListedModel model;
    model.id = text_of(item, "id");
    if (model.id.empty() || model.id.size() > kModelNameMaxBytes) continue;
    model.owned_by = text_of(item, "owned_by").substr(0, kModelNameMaxBytes);
    model.context_length = context_of(item);
    model.privacy = privacy_of(item);
    model.sees_images = sees_images(item);
    read_prices(item, model);
    models.push_back(std::move(model));
  }
  return models;
}

}  // namespace backplane::dialect
