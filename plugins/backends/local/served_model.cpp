// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/served_model.hpp"

#include <algorithm>
#include <boost/json/value.hpp>
#include <filesystem>

#include "plugins/backends/local/settings_fields.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMillisecondsPerSecond = 1000;

AdapterOptions read_adapters(const json::object& settings) {
  AdapterOptions out;
  const json::value* paths = settings.if_contains("adapters");
  if (paths != nullptr && paths->is_object()) {
    for (const auto& [name, path] : paths->as_object()) {
      if (path.is_string()) out.paths[std::string(name)] = path.as_string();
    }
  }
  out.folder = word(settings, "adapters_folder");
  out.loaded_max = number(settings, "max_adapters", out.loaded_max);
  out.idle_ms_max =
      number(settings, "adapter_idle_seconds", out.idle_ms_max / kMillisecondsPerSecond) *
      kMillisecondsPerSecond;
  return out;
}

// What is missing at the start is a mistake in the file; later adapters may go.
Status check_adapters(const AdapterOptions& options) {
  std::error_code failure;
  for (const auto& [name, path] : options.paths) {
    if (!std::filesystem::exists(path, failure)) {
      return invalid_argument("adapters." + name + ": " + path + ": no such file or folder");
    }
  }
  if (options.folder.empty() || std::filesystem::is_directory(options.folder, failure)) return ok();
  return invalid_argument("adapters_folder: " + options.folder +
                          ": no such folder; make it, it may be empty");
}

// By a classifier that the file has, or by the answers to a template that is given.
Status load_rank_head(const json::object& settings, const Engine& engine, PooledSettings& out) {
  const ModelFile& file = engine.file();
  const auto from_file = file.text("tokenizer.chat_template.rerank");
  if (!from_file) return from_file.error();
  out.rank_template = word(settings, "rerank_template");
  if (out.rank_template.empty()) out.rank_template = std::string(from_file->value_or(""));
  auto head = RankHead::load(file);
  if (!head) return head.error();
  if (!head->has_value() && !out.rank_template.empty()) {
    head = RankHead::of_answers(file, engine.tokenizer().vocabulary());
    if (!head) return head.error();
    if (!head->has_value()) {
      return file.wrong("tokenizer.ggml.tokens",
                        "has no \"yes\" and \"no\", which a rerank_template needs; leave it out");
    }
  }
  out.rank_head = std::move(*head);
  return ok();
}

// Models that were made for vectors or scores do not write.
std::vector<std::string> operations_of(const json::object& settings, bool is_writer) {
  if (const json::value* given = settings.if_contains("operations")) {
    std::vector<std::string> out;
    for (const json::value& name : given->as_array()) out.emplace_back(name.as_string());
    return out;
  }
  if (is_writer) return {"chat.completions", "completions", "embeddings", "rerank"};
  return {"embeddings", "rerank"};
}

}  // namespace

bool has_adapters(const json::object& settings) {
  const AdapterOptions options = read_adapters(settings);
  return !options.paths.empty() || !options.folder.empty();
}

bool ServedModel::serves(std::string_view operation) const {
  return std::find(operations.begin(), operations.end(), operation) != operations.end();
}

Result<ServedModel> ServedModel::load(const json::object& settings, const Engine& engine) {
  ServedModel out;
  const auto in_file = pooling_of(engine.file());
  if (!in_file) return in_file.error();
  const auto given = pooling_of(word(settings, "pooling"));
  out.pooled.pooling = given ? *given : in_file->pooling.value_or(Pooling::kLast);
  if (auto status = load_rank_head(settings, engine, out.pooled); !status) return status.error();
  out.operations = operations_of(settings, !in_file->is_given);
  AdapterOptions adapters = read_adapters(settings);
  if (auto status = check_adapters(adapters); !status) return status.error();
  out.adapters = std::make_unique<AdapterStore>(std::move(adapters), engine.file());
  return out;
}

}  // namespace backplane::local
