// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/request/generate_fields.hpp"

#include <algorithm>
#include <charconv>

#include "plugins/backends/local/request/fields.hpp"
#include "plugins/backends/local/request/keep_alive.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

// A field whose meaning would be lost is never passed over in silence.
Status check_unserved(const json::object& body) {
  for (const char* field :
       {"functions", "function_call", "bad_words", "dry_multiplier", "guided_grammar", "mirostat",
        "prompt_logprobs", "use_beam_search", "audio", "modalities", "web_search_options"}) {
    const json::value* value = member(body, field);
    if (value == nullptr || (value->is_bool() && !value->get_bool())) continue;
    if (value->is_number() && value->to_number<double>() == 0) continue;
    if (value->is_array() && value->get_array().empty()) continue;
    const bool text_only = std::string_view(field) == "modalities" && value->is_array() &&
                           value->get_array().size() == 1 && value->get_array()[0] == "text";
    if (!text_only) return unsupported(field);
  }
  return ok();
}

Status check_stream_options(const json::object& body) {
  const json::value* stream = member(body, "stream");
  if (member(body, "stream_options") == nullptr || (stream != nullptr && *stream == true)) {
    return ok();
  }
  return refuse("stream_options", "needs stream to be true");
}

Status read_seed(const json::object& body, std::uint64_t& out) {
  const json::value* value = member(body, "seed");
  if (value == nullptr) return ok();
  if (value->is_int64()) {
    out = static_cast<std::uint64_t>(value->get_int64());
  } else if (value->is_uint64()) {
    out = value->get_uint64();
  } else {
    return refuse("seed", "expected a whole number of 64 bits");
  }
  return ok();
}

Status read_stop(const json::object& body, std::vector<std::string>& out) {
  const json::value* value = member(body, "stop");
  if (value == nullptr) return ok();
  if (value->is_string()) {
    if (!value->get_string().empty()) out.emplace_back(value->get_string());
    return ok();
  }
  if (!value->is_array()) return refuse("stop", "expected a string or a list of strings");
  if (value->get_array().size() > kStopsMax) {
    return refuse("stop", "more than " + std::to_string(kStopsMax));
  }
  for (const json::value& stop : value->get_array()) {
    if (!stop.is_string()) return refuse("stop", "expected a string or a list of strings");
    out.emplace_back(stop.get_string());
  }
  return ok();
}

// Whether it is in the vocabulary the engine knows.
bool read_token(const json::value& value, Token& out) {
  boost::system::error_code failure;
  out = value.is_number() ? value.to_number<Token>(failure) : -1;
  return !failure && out >= 0;
}

Status read_stop_tokens(const json::object& body, std::vector<Token>& out) {
  const json::value* value = member(body, "stop_token_ids");
  if (value == nullptr) return ok();
  if (!value->is_array()) return refuse("stop_token_ids", "expected a list of token ids");
  for (const json::value& id : value->get_array()) {
    Token token = 0;
    if (!read_token(id, token)) return refuse("stop_token_ids", "expected a list of token ids");
    out.push_back(token);
  }
  std::sort(out.begin(), out.end());
  return ok();
}

Status read_logit_bias(const json::object& body, std::vector<LogitBias>& out) {
  const json::value* value = member(body, "logit_bias");
  if (value == nullptr) return ok();
  if (!value->is_object()) return refuse("logit_bias", "expected an object of token ids");
  for (const auto& [key, bias] : value->get_object()) {
    LogitBias one;
    const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), one.token);
    if (failure != std::errc() || end != key.data() + key.size() || one.token < 0) {
      return refuse("logit_bias", "\"" + std::string(key).substr(0, 32) + "\" is no token id");
    }
    if (!bias.is_number()) return refuse("logit_bias", "expected numbers from -100 to 100");
    one.bias = static_cast<float>(bias.to_number<double>());
    out.push_back(one);
  }
  return ok();
}

Status read_priority(const json::object& body, std::int32_t& out) {
  const json::value* value = member(body, "priority");
  if (value == nullptr) return ok();
  boost::system::error_code failure;
  if (value->is_number()) out = value->to_number<std::int32_t>(failure);
  if (value->is_number() && !failure) return ok();
  return refuse("priority", "expected a whole number; lower is more urgent");
}

Status read_choices(const json::object& body, std::uint32_t& out) {
  if (auto status = read_count(body, "n", 1, out, kChoicesMax); !status) return status;
  std::uint32_t best_of = out;
  if (auto status = read_count(body, "best_of", 1, best_of); !status) return status;
  return best_of == out ? ok() : Status(unsupported("best_of"));
}

Status read_sampling(const json::object& body, SamplingOptions& out) {
  PenaltyOptions& penalties = out.penalties;
  Status status = read_number(body, "temperature", 0, 2, out.temperature);
  if (status) status = read_number(body, "top_p", 0, 1, out.top_p);
  if (status) status = read_number(body, "min_p", 0, 1, out.min_p);
  if (status) status = read_number(body, "typical_p", 0, 1, out.typical_p);
  if (status) status = read_number(body, "repetition_penalty", 0, 10, penalties.repetition);
  if (status) status = read_number(body, "presence_penalty", -2, 2, penalties.presence);
  if (status) status = read_number(body, "frequency_penalty", -2, 2, penalties.frequency);
  // -1 is "all" for some clients.
  const json::value* top_k = member(body, "top_k");
  if (top_k != nullptr && top_k->is_int64() && top_k->get_int64() == -1) {
    out.top_k = 0;
  } else if (status) {
    status = read_count(body, "top_k", 0, out.top_k);
  }
  if (status) status = read_seed(body, out.seed);
  if (status) status = read_logit_bias(body, out.logit_bias);
  return status;
}

}  // namespace

Status read_generate_fields(const json::object& body, const RequestDefaults& defaults,
                            GenerateFields& out) {
  out.sampling.temperature = defaults.temperature;
  out.sampling.top_p = defaults.top_p;
  out.sampling.top_k = defaults.top_k;
  out.sampling.seed = defaults.seed;
  Status status = check_unserved(body);
  if (status) status = check_stream_options(body);
  if (status) status = read_sampling(body, out.sampling);
  if (status) status = read_choices(body, out.choices);
  if (status) status = read_count(body, "max_tokens", 1, out.max_tokens);
  if (status) status = read_count(body, "max_completion_tokens", 1, out.max_tokens);
  if (status) status = read_count(body, "min_tokens", 0, out.min_tokens);
  if (status && out.max_tokens > 0 && out.min_tokens > out.max_tokens) {
    status = refuse("min_tokens", "more than the answer may have");
  }
  if (status) status = read_flag(body, "ignore_eos", out.ignore_eos);
  if (status) status = read_priority(body, out.priority);
  if (status) status = read_stop(body, out.stop);
  if (status) status = read_stop_tokens(body, out.stop_tokens);
  if (!status) return status;
  const auto keep_alive = read_keep_alive(body);
  if (!keep_alive) return keep_alive.error();
  out.keep_alive = *keep_alive;
  return ok();
}

}  // namespace backplane::local
