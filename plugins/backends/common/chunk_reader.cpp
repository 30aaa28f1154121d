// SPDX-License-Identifier: Apache-2.0
#include "common/chunk_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/chunk_scan.hpp"

namespace backplane::dialect {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::array<std::string_view, 7> kLastTypes{
    "response.completed",   "response.incomplete",        "response.failed",
    "transcript.text.done", "image_generation.completed", "image_edit.completed",
    "speech.audio.done"};

constexpr double kCountMax = 1e15;  // more is no count; a double holds every integer below it

bool read_count(ondemand::value value, std::uint64_t& out) {
  std::uint64_t count = 0;
  double real = 0;
  if (value.get_uint64().get(count) == simdjson::SUCCESS) {
    if (count > static_cast<std::uint64_t>(kCountMax)) return false;
    out = count;
    return true;
  }
  if (value.get_double().get(real) != simdjson::SUCCESS || real < 0 || real > kCountMax) {
    return false;
  }
  out = static_cast<std::uint64_t>(real);
  return true;
}

// The member `name` of `details`, which may be null.
void read_detail(ondemand::value details, std::string_view name, std::uint64_t& out) {
  ondemand::object object;
  ondemand::value value;
  if (details.get_object().get(object) != simdjson::SUCCESS) return;
  if (object.find_field_unordered(name).get(value) == simdjson::SUCCESS) read_count(value, out);
}

// One member of a usage object; whether it is a count that makes the usage known.
bool read_usage_member(std::string_view name, ondemand::value value, bp_usage& usage) {
  if (name == "prompt_tokens" || name == "input_tokens") {
    return read_count(value, usage.prompt_tokens);
  }
  if (name == "completion_tokens" || name == "output_tokens") {
    return read_count(value, usage.completion_tokens);
  }
  if (name == "prompt_tokens_details" || name == "input_tokens_details") {
    read_detail(value, "cached_tokens", usage.cached_prompt_tokens);
  } else if (name == "completion_tokens_details" || name == "output_tokens_details") {
    read_detail(value, "reasoning_tokens", usage.reasoning_tokens);
  } else if (name == "cached_tokens" || name == "prompt_cache_hit_tokens") {
    read_count(value, usage.cached_prompt_tokens);
  } else if (name == "reasoning_tokens") {
    read_count(value, usage.reasoning_tokens);
  }
  return false;
}

// Calls `visit` with the name and the value of each member until one gives an error.
template <class Visit>
simdjson::error_code for_each_member(ondemand::object object, Visit&& visit) {
  for (auto member : object) {
    ondemand::value value;
    std::string_view name;
    if (const auto error = member.unescaped_key().get(name)) return error;
    if (const auto error = member.value().get(value)) return error;
    if (const auto error = visit(name, value)) return error;
  }
  return simdjson::SUCCESS;
}

// Leaves `out` alone where `value` is no object or tells no count.
simdjson::error_code read_usage(ondemand::value value, std::optional<bp_usage>& out) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return simdjson::SUCCESS;
  bp_usage usage{};
  usage.struct_size = sizeof(bp_usage);
  bool is_known = false;
  bool has_total = false;
  std::uint64_t total = 0;
  const auto error = for_each_member(object, [&](std::string_view name, ondemand::value count) {
    if (name == "total_tokens") {
      has_total = read_count(count, total);
    } else {
      is_known |= read_usage_member(name, count, usage);
    }
    return simdjson::SUCCESS;
  });
  if (!is_known && has_total) usage.prompt_tokens = total;
  usage.cached_prompt_tokens = std::min(usage.cached_prompt_tokens, usage.prompt_tokens);
  usage.reasoning_tokens = std::min(usage.reasoning_tokens, usage.completion_tokens);
  if (is_known || has_total) out = usage;
  return error;
}

simdjson::error_code read_nested_usage(ondemand::value value, std::optional<bp_usage>& out) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return simdjson::SUCCESS;
  return for_each_member(object, [&](std::string_view name, ondemand::value member) {
    return name == "usage" ? read_usage(member, out) : simdjson::SUCCESS;
  });
}

bool is_present(ondemand::value value) {
  bool flag = false;
  std::string_view text;
  if (value.is_null().get(flag) == simdjson::SUCCESS && flag) return false;
  if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag;
  return value.get_string().get(text) != simdjson::SUCCESS || !text.empty();
}

bool is_last(ondemand::value value) {
  std::string_view type;
  return value.get_string().get(type) == simdjson::SUCCESS && is_last_type(type);
}

struct Choice {
  std::uint64_t index = 0;
  std::string_view reason;
};

simdjson::error_code read_choice(ondemand::value value, Choice& choice) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return error;
  return for_each_member(object, [&](std::string_view name, ondemand::value member) {
    if (name == "index") {
      read_count(member, choice.index);
    } else if (name == "finish_reason") {
      if (member.get_string().get(choice.reason) != simdjson::SUCCESS) choice.reason = {};
    }
    return simdjson::SUCCESS;
  });
}

// Calls `visit` with each choice; `choices` may be null.
template <class Visit>
simdjson::error_code for_each_choice(ondemand::value choices, Visit&& visit) {
  ondemand::array list;
  if (choices.get_array().get(list) != simdjson::SUCCESS) return simdjson::SUCCESS;
  for (auto item : list) {
    ondemand::value value;
    Choice choice;
    if (const auto error = item.get(value)) return error;
    if (const auto error = read_choice(value, choice)) return error;
    visit(choice);
  }
  return simdjson::SUCCESS;
}

// A flat error: the document itself, which brings nothing else.
struct Shape {
  bool is_error = false;     // "object": "error"
  bool is_response = false;  // "object": "response"
  bool has_detail = false;
  bool has_result = false;

  void note(std::string_view name, ondemand::value value) {
    std::string_view text;
    if (name == "object" && value.get_string().get(text) == simdjson::SUCCESS) {
      is_error = text == "error";
      is_response = text == "response";
    } else if (name == "detail") {
      has_detail = is_present(value);
    } else if (name == "choices" || name == "data" || name == "output" || name == "results" ||
               name == "text" || name == "id") {
      has_result = true;
    }
  }
};

}  // namespace

struct ChunkReader::Parser {
  ondemand::parser parser;
  std::string scratch;

  simdjson::error_code open(std::string_view text, std::size_t readable,
                            ondemand::document& document) {
    if (readable < text.size() + simdjson::SIMDJSON_PADDING) {
      scratch.reserve(text.size() + simdjson::SIMDJSON_PADDING);
      scratch.assign(text);
      return parser.iterate(scratch.data(), text.size(), scratch.capacity()).get(document);
    }
    return parser.iterate(text.data(), text.size(), readable).get(document);
  }
};

static_assert(ChunkReader::kPaddingBytes >= simdjson::SIMDJSON_PADDING);

ChunkReader::ChunkReader(Completion completion) : completion_(completion) {}
ChunkReader::~ChunkReader() = default;

ChunkFacts ChunkReader::read(std::string_view document, std::size_t readable) {
  finishes_.clear();
  const ChunkSigns signs = scan_chunk(document, completion_);
  ChunkFacts facts;
  if (signs.needs_parse) {
    facts = parse(document, readable);
  } else if (signs.has_choice) {
    seen_.set(0);
  }
  facts.may_need_changes = signs.may_need_changes;
  facts.says_stop = signs.says_stop;
  facts.is_plain_reasoning = signs.is_plain_reasoning;
  facts.reasoning_at = signs.reasoning_at;
  facts.has_other_choice = signs.has_other_choice;
  return facts;
}

ChunkFacts ChunkReader::read_whole(std::string_view document, std::size_t readable) {
  finishes_.clear();
  ChunkFacts facts = parse(document, readable);
  facts.may_need_changes = scan_chunk(document, completion_).may_need_changes;
  return facts;
}

ChunkFacts ChunkReader::parse(std::string_view text, std::size_t readable) {
  if (!parser_) parser_ = std::make_unique<Parser>();
  ChunkFacts facts;
  facts.is_malformed = true;
  facts.has_choices = false;
  ondemand::document document;
  ondemand::object object;
  std::optional<bp_usage> usage;
  std::optional<bp_usage> nested;
  Shape shape;
  if (parser_->open(text, readable, document) != simdjson::SUCCESS) return facts;
  if (document.get_object().get(object) != simdjson::SUCCESS) return facts;
  const auto error = for_each_member(object, [&](std::string_view name, ondemand::value value) {
    if (name == "usage") return read_usage(value, usage);
    if (name == "x_groq" || name == "response") return read_nested_usage(value, nested);
    if (name == "error") facts.has_error = is_present(value);
    if (name != "choices") shape.note(name, value);
    if (name == "type" && completion_ == Completion::kTypes) last_seen_ |= is_last(value);
    if (name != "choices") return simdjson::SUCCESS;
    shape.has_result = true;
    return for_each_choice(value, [&](const Choice& choice) {
      facts.has_choices = true;
      note_choice(choice.index, choice.reason);
    });
  });
  facts.is_malformed = error != simdjson::SUCCESS;
  facts.has_error |= shape.is_error || (shape.has_detail && !shape.has_result);
  facts.has_error &= !shape.is_response;
  if (!usage) usage = nested;
  facts.has_usage = usage.has_value();
  if (usage) facts.usage = *usage;
  return facts;
}

void ChunkReader::note_choice(std::uint64_t index, std::string_view reason) {
  if (index >= kChoicesMax) return;
  seen_.set(index);
  if (reason.empty()) return;
  finished_.set(index);
  finishes_.push_back({static_cast<std::uint32_t>(index), std::string(reason)});
}

bool is_last_type(std::string_view type) {
  return std::find(kLastTypes.begin(), kLastTypes.end(), type) != kLastTypes.end();
}

bool is_whole_object(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (text.empty()) return false;
  return parser.parse(text.data(), text.size()).get(object) == simdjson::SUCCESS;
}

}  // namespace backplane::dialect
