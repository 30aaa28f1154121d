// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/output_format.hpp"

#include <array>
#include <utility>

namespace backplane::local {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

ToolFormat tools_of(std::string_view source) {
  if (has(source, "[TOOL_CALLS]")) {
    if (has(source, "[CALL_ID]")) return ToolFormat::kMistralNamedId;
    return has(source, "[ARGS]") ? ToolFormat::kMistralNamed : ToolFormat::kMistral;
  }
  // Others use the same tag around XML.
  const bool xml = has(source, "<function=") || has(source, "<arg_key>");
  if (has(source, "<tool_call>") && !xml) return ToolFormat::kHermes;
  const bool names_parameters = has(source, R"({"name": function name, "parameters":)");
  if (names_parameters || (has(source, "<|python_tag|>") && !xml)) return ToolFormat::kLlama3;
  return ToolFormat::kGeneric;
}

}  // namespace

OutputFormat format_of_template(std::string_view source) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTags = {
      {{"<think>", "</think>"},
       {"[THINK]", "[/THINK]"},
       {"<seed:think>", "</seed:think>"},
       {"<|START_THINKING|>", "<|END_THINKING|>"}}};
  OutputFormat format{tools_of(source), {}};
  for (const auto& [open, close] : kTags) {
    if (!has(source, open) && !has(source, close)) continue;
    format.reasoning = {std::string(open), std::string(close)};
    break;
  }
  return format;
}

bool find_tool_format(std::string_view name, ToolFormat& out) {
  constexpr std::array<std::pair<std::string_view, ToolFormat>, 7> kNames = {
      {{"none", ToolFormat::kNone},
       {"generic", ToolFormat::kGeneric},
       {"hermes", ToolFormat::kHermes},
       {"llama3", ToolFormat::kLlama3},
       {"mistral", ToolFormat::kMistral},
       {"mistral_named", ToolFormat::kMistralNamed},
       {"mistral_named_id", ToolFormat::kMistralNamedId}}};
  for (const auto& [known, format] : kNames) {
    if (known != name) continue;
    out = format;
    return true;
  }
  return false;
}

std::vector<std::string> markers_of(const OutputFormat& format) {
  std::vector<std::string> markers;
  switch (format.tools) {
    case ToolFormat::kHermes:
      markers = {"<tool_call>", "</tool_call>"};
      break;
    case ToolFormat::kLlama3:
      markers = {"<|python_tag|>"};
      break;
    case ToolFormat::kMistral:
    case ToolFormat::kMistralNamed:
    case ToolFormat::kMistralNamedId:
      markers = {"[TOOL_CALLS]", "[ARGS]", "[CALL_ID]"};
      break;
    case ToolFormat::kNone:
    case ToolFormat::kGeneric:
      break;
  }
  if (!format.reasoning.open.empty()) {
    markers.push_back(format.reasoning.open);
    markers.push_back(format.reasoning.close);
  }
  return markers;
}

}  // namespace backplane::local
