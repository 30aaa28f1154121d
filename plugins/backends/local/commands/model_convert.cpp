// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>

#include "plugins/backends/local/commands/model_commands.hpp"
#include "plugins/backends/local/convert/conversion.hpp"
#include "plugins/backends/local/convert/evaluation.hpp"
#include "plugins/backends/local/files/mapped_file.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

std::string decimal(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

json::object json_of(const Evaluation& evaluation) {
  json::object document{{"windows", evaluation.windows},
                        {"tokens", evaluation.tokens},
                        {"perplexity", evaluation.perplexity},
                        {"perplexity_error", evaluation.perplexity_error}};
  if (const auto& divergence = evaluation.divergence) {
    document["reference_perplexity"] = divergence->reference_perplexity;
    document["divergence_mean"] = divergence->mean;
    document["divergence_max"] = divergence->max;
    document["same_top"] = divergence->same_top;
  }
  return document;
}

void print_table(const Evaluation& evaluation) {
  const auto row = [](std::string label, const std::string& text) {
    label.resize(24, ' ');
    std::cout << label << text << '\n';
  };
  row("windows, tokens",
      std::to_string(evaluation.windows) + ", " + std::to_string(evaluation.tokens));
  row("perplexity",
      decimal(evaluation.perplexity, 4) + " +/- " + decimal(evaluation.perplexity_error, 4));
  if (const auto& divergence = evaluation.divergence) {
    row("perplexity, reference", decimal(divergence->reference_perplexity, 4));
    row("divergence, mean", decimal(divergence->mean, 6));
    row("divergence, max", decimal(divergence->max, 6));
    row("same likeliest token", decimal(100 * divergence->same_top, 2) + " %");
  }
}

Result<Evaluation> evaluate(const ModelFile& model, const ModelFile* reference,
                            const EvaluateArguments& arguments) {
  const auto text = MappedFile::open(arguments.text);
  if (!text) return text.error();
  Progress progress(Progress::style_of_stderr(arguments.is_quiet));
  return evaluate_model(
      model, reference, {reinterpret_cast<const char*>(text->bytes().data()), text->bytes().size()},
      {arguments.context_tokens, arguments.windows_max, arguments.threads}, progress);
}

void print_conversion(const ConvertArguments& arguments, const Conversion& conversion,
                      const Evaluation* evaluation) {
  const double bits = 8.0 * static_cast<double>(conversion.bytes) /
                      static_cast<double>(std::max<std::uint64_t>(conversion.weights, 1));
  if (arguments.evaluate.is_json) {
    json::object document{{"path", arguments.output},
                          {"source_bytes", conversion.source_bytes},
                          {"bytes", conversion.bytes},
                          {"bits_per_weight", bits},
                          {"notes", json::array(conversion.notes.begin(), conversion.notes.end())}};
    if (evaluation != nullptr) document["evaluation"] = json_of(*evaluation);
    std::cout << json::serialize(document) << '\n';
    return;
  }
  for (const std::string& note : conversion.notes) std::cout << "note: " << note << '\n';
  std::cout << arguments.output << "  " << bytes_text(conversion.bytes) << ", " << decimal(bits, 2)
            << " bits a weight; the source has " << bytes_text(conversion.source_bytes) << '\n';
  if (evaluation != nullptr) print_table(*evaluation);
}

Status check_output(const std::string& source, const std::string& output, bool is_forced) {
  std::error_code failure;
  if (!std::filesystem::exists(output, failure)) return ok();
  if (std::filesystem::equivalent(source, output, failure)) {
    return invalid_argument(output + " is the source; give another name");
  }
  if (is_forced) return ok();
  return invalid_argument(output + " exists; give another name, or --force to replace it");
}

}  // namespace

std::uint32_t model_convert(const ConvertArguments& arguments) {
  const auto recipe = find_recipe(arguments.type);
  if (!recipe) return command_failed(recipe.error());
  const auto path = path_of_model(arguments.source, arguments.evaluate.store);
  if (!path) return command_failed(path.error());
  const auto source = ModelFile::open(*path);
  if (!source) return command_failed(source.error());
  if (auto status = check_output(*path, arguments.output, arguments.is_forced); !status) {
    return command_failed(status.error());
  }
  Progress progress(Progress::style_of_stderr(arguments.evaluate.is_quiet));
  const auto conversion =
      convert_model(*source, arguments.output, {*recipe, arguments.evaluate.threads}, progress);
  progress.end();
  if (!conversion) return command_failed(conversion.error());
  if (arguments.evaluate.text.empty()) {
    print_conversion(arguments, *conversion, nullptr);
    return 0;
  }
  const auto made = ModelFile::open(arguments.output);
  if (!made) return command_failed(made.error());
  const auto evaluation = evaluate(*made, &*source, arguments.evaluate);
  if (!evaluation) return command_failed(evaluation.error());
  print_conversion(arguments, *conversion, &*evaluation);
  return 0;
}

std::uint32_t model_evaluate(const EvaluateArguments& arguments) {
  const auto path = path_of_model(arguments.model, arguments.store);
  if (!path) return command_failed(path.error());
  const auto model = ModelFile::open(*path);
  if (!model) return command_failed(model.error());
  std::optional<ModelFile> reference;
  if (!arguments.against.empty()) {
    const auto other = path_of_model(arguments.against, arguments.store);
    if (!other) return command_failed(other.error());
    auto file = ModelFile::open(*other);
    if (!file) return command_failed(file.error());
    reference.emplace(std::move(*file));
  }
  const auto evaluation = evaluate(*model, reference ? &*reference : nullptr, arguments);
  if (!evaluation) return command_failed(evaluation.error());
  if (arguments.is_json) {
    std::cout << json::serialize(json_of(*evaluation)) << '\n';
  } else {
    print_table(*evaluation);
  }
  return 0;
}

}  // namespace backplane::local
