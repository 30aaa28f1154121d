// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/output/answer_grammar.hpp"

#include <boost/json.hpp>

#include "plugins/backends/local/request/fields.hpp"

namespace backplane::local {
namespace {

constexpr std::string_view kSpaceBehindThoughts = "[ \\n]{0,4}";
constexpr std::string_view kCallIdPattern = "[a-zA-Z0-9]{9}";

// What stands around calls. `begin` is a marker, the others are text.
struct Frame {
  std::string_view begin;
  std::string_view open;
  std::string_view between;  // of two calls in one frame; empty: each has a frame of its own
  std::string_view close;
  std::string_view end;  // a marker
};

Frame frame_of(ToolFormat format) {
  switch (format) {
    case ToolFormat::kHermes:
      return {"<tool_call>", "\n", {}, "\n", "</tool_call>"};
    case ToolFormat::kMistral:
      return {"[TOOL_CALLS]", "[", ", ", "]", {}};
    case ToolFormat::kMistralNamed:
    case ToolFormat::kMistralNamedId:
      return {"[TOOL_CALLS]", {}, {}, {}, {}};
    case ToolFormat::kLlama3:
      return {"<|python_tag|>", {}, {}, {}, {}};
    case ToolFormat::kGeneric:
    case ToolFormat::kNone:
      break;
  }
  return {};
}

// A call of these may stand alone at the beginning; a second one is not told apart.
bool is_bare(ToolFormat format) {
  return format == ToolFormat::kLlama3 || format == ToolFormat::kGeneric;
}

Result<GrammarPointer> parameters_of(const Tool& tool, std::size_t index) {
  if (tool.parameters.empty()) return any_json_object();
  const std::string place = "tools[" + std::to_string(index) + "].function.parameters";
  Result<GrammarPointer> exact = compile_json_schema(tool.parameters, {place, true});
  return exact || tool.strict ? exact : Result<GrammarPointer>(any_json_object());
}

Result<GrammarPointer> call_of(const Tool& tool, std::size_t index, ToolFormat format) {
  const Result<GrammarPointer> parameters = parameters_of(tool, index);
  if (!parameters) return parameters.error();
  if (format == ToolFormat::kMistralNamed) {
    return sequence({literal(tool.name), marker("[ARGS]"), *parameters});
  }
  if (format == ToolFormat::kMistralNamedId) {
    const Result<GrammarPointer> id = matching(kCallIdPattern, "id");
    if (!id) return id.error();
    return sequence({literal(tool.name), marker("[CALL_ID]"), *id, marker("[ARGS]"), *parameters});
  }
  const std::string name = boost::json::serialize(boost::json::string(tool.name));
  const std::string_view member =
      format == ToolFormat::kLlama3 ? R"(, "parameters": )" : R"(, "arguments": )";
  return sequence(
      {literal(R"({"name": )" + name + std::string(member)), *parameters, literal("}")});
}

Result<GrammarPointer> any_call(const ChatFields& chat, ToolFormat format) {
  std::vector<GrammarPointer> calls;
  for (std::size_t i = 0; i < chat.tools.size(); ++i) {
    const bool wanted =
        chat.tool_choice != ToolChoice::kNamed || chat.tools[i].name == chat.tool_name;
    if (!wanted) continue;
    Result<GrammarPointer> call = call_of(chat.tools[i], i, format);
    if (!call) return call;
    calls.push_back(std::move(*call));
  }
  return choice(calls);
}

// One frame, and all that may follow it. Without its beginning marker where that is there already.
GrammarPointer framed(const GrammarPointer& call, const Frame& frame, bool begun, bool many) {
  std::vector<GrammarPointer> inside;
  if (!frame.open.empty()) inside.push_back(literal(frame.open));
  inside.push_back(call);
  if (many && !frame.between.empty()) {
    inside.push_back(repeat(sequence({literal(frame.between), call}), 0, kRepeatUnbounded));
  }
  if (!frame.close.empty()) inside.push_back(literal(frame.close));
  if (!frame.end.empty()) inside.push_back(marker(frame.end));
  const GrammarPointer rest = sequence(inside);
  std::vector<GrammarPointer> all;
  if (!begun) all.push_back(marker(frame.begin));
  all.push_back(rest);
  if (many && frame.between.empty()) {
    std::vector<GrammarPointer> next;
    if (!frame.end.empty()) next.push_back(literal("\n"));
    next.push_back(marker(frame.begin));
    next.push_back(rest);
    all.push_back(repeat(sequence(next), 0, kRepeatUnbounded));
  }
  return sequence(all);
}

Result<GrammarPointer> forced_calls(const ChatFields& chat, ToolFormat format) {
  if (format == ToolFormat::kNone) {
    return refuse("tool_choice", "this model's tool_format is none; it makes no calls");
  }
  const Result<GrammarPointer> call = any_call(chat, format);
  if (!call || is_bare(format)) return call;
  return framed(*call, frame_of(format), false, chat.parallel_tool_calls);
}

// Text in which calls that begin are held to their form.
Result<GrammarPointer> free_calls(const ChatFields& chat, ToolFormat format) {
  const Frame frame = frame_of(format);
  if (frame.begin.empty()) return GrammarPointer();
  const Result<GrammarPointer> call = any_call(chat, format);
  if (!call) return call;
  const bool many = chat.parallel_tool_calls && !is_bare(format);
  return free_text({{std::string(frame.begin), framed(*call, frame, true, many)}}, true);
}

Result<GrammarPointer> form_of(const ChatFields& chat) {
  if (chat.form == AnswerForm::kJsonObject) return any_json_object();
  return compile_json_schema(chat.schema, {"response_format.json_schema.schema", false});
}

Result<GrammarPointer> behind_thoughts(const GrammarPointer& answer, const ReasoningTags& tags,
                                       bool begins_thinking) {
  if (tags.close.empty()) return answer;
  const Result<GrammarPointer> space = matching(kSpaceBehindThoughts, "white space");
  if (!space) return space;
  const GrammarPointer thoughts = free_text({{tags.close, sequence({*space, answer})}}, false);
  if (begins_thinking) return thoughts;
  return choice({answer, sequence({marker(tags.open), thoughts})});
}

}  // namespace

Result<GrammarPointer> answer_grammar(const ChatFields& chat, const OutputFormat& format,
                                      bool begins_thinking) {
  const bool must_call =
      chat.tool_choice == ToolChoice::kRequired || chat.tool_choice == ToolChoice::kNamed;
  const bool may_call = chat.tool_choice == ToolChoice::kAuto && format.tools != ToolFormat::kNone;
  if (must_call) {
    const Result<GrammarPointer> calls = forced_calls(chat, format.tools);
    return calls ? behind_thoughts(*calls, format.reasoning, begins_thinking) : calls;
  }
  if (chat.form == AnswerForm::kText) {
    return may_call ? free_calls(chat, format.tools) : Result<GrammarPointer>(GrammarPointer());
  }
  Result<GrammarPointer> form = form_of(chat);
  if (form && may_call && format.tools != ToolFormat::kGeneric) {
    const Result<GrammarPointer> calls = forced_calls(chat, format.tools);
    if (!calls) return calls;
    form = choice({*form, *calls});
  }
  return form ? behind_thoughts(*form, format.reasoning, begins_thinking) : form;
}

}  // namespace backplane::local
