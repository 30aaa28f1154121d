// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/engine.hpp"

#include <algorithm>

#include "plugins/backends/local/engine/batch_loop.hpp"

namespace backplane::local {
namespace {

// `answer`: the tokens asked for; 0: none were named.
Error context_error(std::size_t prompt, std::size_t answer, std::size_t context) {
  const std::string wanted =
      answer > 0 ? " tokens and up to " + std::to_string(answer) + " more are asked for"
                 : " tokens";
  const bool fits_alone = prompt < context;
  return {Code::kInvalidArgument,
          "the prompt has " + std::to_string(prompt) + wanted + "; the context holds " +
              std::to_string(context) +
              (fits_alone && answer > 0 ? ": shorten the prompt or lower max_tokens"
                                        : ": shorten the prompt"),
          "context_length_exceeded", 0, 0};
}

Status check_stops(const std::vector<std::string>& stops) {
  if (stops.size() > kStopStringsMax) {
    return invalid_argument("at most " + std::to_string(kStopStringsMax) +
                            " stop strings are allowed");
  }
  for (const std::string& stop : stops) {
    if (stop.empty() || stop.size() > kStopStringBytesMax) {
      return invalid_argument("a stop string must have 1 to " +
                              std::to_string(kStopStringBytesMax) + " bytes");
    }
  }
  return ok();
}

}  // namespace

Engine::Engine(ModelText text, const EngineOptions& options)
    : text_(std::move(text)), answer_tokens_default_(options.answer_tokens_default) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::load(const EngineOptions& options) {
  EngineOptions checked = options;
  checked.sequences_max = std::max(1u, options.sequences_max);
  checked.batch_tokens = std::max(options.batch_tokens, checked.sequences_max);
  auto text = ModelText::load(checked);
  if (!text) return text.error();
  const std::size_t pages = text->pages();
  checked.context_tokens = text->info().context_tokens;
  std::unique_ptr<Weights> weights;
  if (!checked.lazy) {
    auto loaded = Weights::load(checked, pages, text->tokenizer().vocabulary().size());
    if (!loaded) return loaded.error();
    weights = std::move(*loaded);
  }
  std::unique_ptr<Engine> engine(new Engine(std::move(*text), checked));
  engine->loop_ =
      std::make_unique<BatchLoop>(checked, pages, engine->tokenizer(), std::move(weights));
  return engine;
}

Status Engine::check(const GenerateRequest& request) const {
  const std::size_t prompt = request.prompt_tokens.size();
  if (prompt == 0) return invalid_argument("the prompt has no tokens");
  const std::size_t answer = request.pooling ? 0 : request.max_tokens;
  const std::size_t least = request.pooling ? 0 : std::max<std::size_t>(answer, 1);
  if (prompt + least > info().context_tokens) {
    return context_error(prompt, answer, info().context_tokens);
  }
  const std::size_t vocabulary = tokenizer().vocabulary().size();
  for (const Token token : request.prompt_tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= vocabulary) {
      return invalid_argument("prompt token " + std::to_string(token) +
                              " is not in the vocabulary of " + std::to_string(vocabulary));
    }
  }
  if (auto status = check_stops(request.stop); !status) return status;
  return check_answer(request, vocabulary);
}

Result<RequestId> Engine::submit(GenerateRequest request, StreamListener& listener) {
  if (auto status = check(request); !status) return status.error();
  if (request.max_tokens == 0 && !request.pooling) {
    const auto room =
        info().context_tokens - static_cast<std::uint32_t>(request.prompt_tokens.size());
    const std::uint32_t wanted = answer_tokens_default_;
    request.max_tokens = wanted == 0 ? room : std::min(wanted, room);
  }
  return loop_->inbox().submit(std::move(request), listener);
}

void Engine::cancel(RequestId id) {
  loop_->inbox().change(id, InboxChange::Kind::kCancel);
}
void Engine::pause(RequestId id) {
  loop_->inbox().change(id, InboxChange::Kind::kPause);
}
void Engine::resume(RequestId id) {
  loop_->inbox().change(id, InboxChange::Kind::kResume);
}
void Engine::stop() {
  loop_->stop();
}

}  // namespace backplane::local
