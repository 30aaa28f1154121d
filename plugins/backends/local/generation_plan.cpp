// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/generation_plan.hpp"

#include <algorithm>
#include <utility>

#include "plugins/backends/local/output/answer_grammar.hpp"
#include "plugins/backends/local/output/text_search.hpp"
#include "plugins/backends/local/request/message_fields.hpp"

namespace backplane::local {
namespace {

GenerateRequest request_of(GenerateFields& fields) {
  GenerateRequest request;
  request.max_tokens = fields.max_tokens;
  request.min_tokens = fields.min_tokens;
  request.ignore_eos = fields.ignore_eos;
  request.priority = fields.priority;
  request.keep_alive = fields.keep_alive;
  request.sampling = std::move(fields.sampling);
  request.stop = std::move(fields.stop);
  request.stop_tokens = std::move(fields.stop_tokens);
  return request;
}

// Templates of one kind print the arguments of tool calls as JSON, those of the other add their
// text to other text; which is which shows where one fails.
Result<std::string> render(const Engine& engine, Object inputs, std::int64_t now_s) {
  Result<std::string> text = engine.render_chat(inputs, now_s);
  if (text) return text;
  const Value messages = *inputs.find("messages");
  inputs.set("messages", with_argument_texts(messages));
  Result<std::string> other = engine.render_chat(std::move(inputs), now_s);
  return other ? std::move(other) : std::move(text);
}

std::vector<Token> shown_tokens(const Engine& engine, const OutputFormat& format) {
  std::vector<Token> shown;
  const Vocabulary& vocabulary = engine.tokenizer().vocabulary();
  for (const std::string& marker : markers_of(format)) {
    const auto token = vocabulary.find(marker);
    if (token && !vocabulary.ends_generation(*token)) shown.push_back(*token);
  }
  std::sort(shown.begin(), shown.end());
  return shown;
}

Error refuse_schema(Error error) {
  if (error.type.empty()) error.type = "UNSUPPORTED_SCHEMA";
  error.http_status = 400;
  return error;
}

Status read_chat(const Engine& engine, const ModelOutput& output, ChatFields& chat,
                 std::int64_t now_s, GenerateRequest& request, GenerationPlan& plan) {
  const OutputFormat& format = output.format;
  const Value* messages = chat.template_inputs.find("messages");
  if (Status known =
          check_roles(*messages, engine.info().template_for(chat.tool_choice != ToolChoice::kNone));
      !known)
    return known;
  const Result<std::string> text = render(engine, std::move(chat.template_inputs), now_s);
  if (!text) return text.error();
  if (Status fits = engine.check_length(*text); !fits) return fits;
  request.prompt_tokens = engine.tokenize_chat(*text);
  request.top_logprobs = chat.top_logprobs;
  plan.format = format;
  if (chat.tool_choice == ToolChoice::kNone) plan.format.tools = ToolFormat::kNone;
  const std::string& open = format.reasoning.open;
  plan.begins_thinking = !open.empty() && trim_end(*text).ends_with(open);
  request.shown_tokens = shown_tokens(engine, plan.format);
  Result<GrammarPointer> grammar = answer_grammar(chat, plan.format, plan.begins_thinking);
  if (!grammar) return refuse_schema(grammar.error());
  request.grammar = std::move(*grammar);
  request.trie = output.trie.get();
  return ok();
}

Result<std::vector<Token>> prompt_tokens(const Engine& engine, Prompt& prompt) {
  if (auto* tokens = std::get_if<std::vector<Token>>(&prompt)) return std::move(*tokens);
  const std::string& text = std::get<std::string>(prompt);
  if (const Status fits = engine.check_length(text); !fits) return fits.error();
  return engine.tokenize_text(text);
}

void add_choices(GenerateRequest request, GenerationPlan& plan) {
  const std::uint64_t seed = request.sampling.seed;
  for (std::uint32_t choice = 0; choice < plan.choices_per_prompt; ++choice) {
    request.sampling.seed = seed_of_choice(seed, choice);
    plan.requests.push_back(request);
  }
}

}  // namespace

Result<GenerationPlan> plan_generation(const Engine& engine, const ModelOutput& output,
                                       ParsedRequest parsed, std::int64_t now_s) {
  GenerationPlan plan;
  plan.choices_per_prompt = parsed.generate.choices;
  GenerateRequest request = request_of(parsed.generate);
  if (auto* chat = std::get_if<ChatFields>(&parsed.input)) {
    if (Status status = read_chat(engine, output, *chat, now_s, request, plan); !status) {
      return status.error();
    }
    add_choices(std::move(request), plan);
    return plan;
  }
  auto& completion = std::get<CompletionFields>(parsed.input);
  request.top_logprobs = completion.top_logprobs;
  for (Prompt& prompt : completion.prompts) {
    Result<std::vector<Token>> tokens = prompt_tokens(engine, prompt);
    if (!tokens) return tokens.error();
    request.prompt_tokens = std::move(*tokens);
    add_choices(request, plan);
  }
  return plan;
}

}  // namespace backplane::local
