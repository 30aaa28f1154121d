// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/engine.hpp"

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "plugins/backends/local/chat_template/chat_template.hpp"
#include "plugins/backends/local/engine/generation.hpp"
#include "plugins/backends/local/engine/scheduler.hpp"

namespace backplane::local {
namespace {

constexpr std::uint64_t kQueueFullRetryMs = 1000;

Error context_error(std::size_t prompt, std::size_t answer, std::size_t context) {
  return {Code::kInvalidArgument,
          "the prompt has " + std::to_string(prompt) + " tokens and up to " +
              std::to_string(answer) + " more are asked for; the context holds " +
              std::to_string(context) + ": shorten the prompt or lower max_tokens",
          "CONTEXT_LENGTH_EXCEEDED", 0, 0};
}

}  // namespace

// Everything the engine's thread works on. What `mutex_` guards is marked; the rest is the
// thread's own, or immutable once it runs.
class Engine::Loop {
 public:
  static Result<std::unique_ptr<Loop>> load(const EngineOptions& options);
  ~Loop() { stop(); }

  const ModelInfo& info() const { return info_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::optional<Result<ChatTemplate>>& chat_template() const { return chat_template_; }
  void start() {
    thread_ = std::thread([this] { run(); });
  }
  Result<RequestId> submit(GenerateRequest request, StreamListener& listener);
  void cancel(RequestId id);
  void pause(RequestId id, bool paused);
  void stop();

 private:
  struct Flags {
    bool cancelled = false;
    bool paused = false;
  };
  using Active = std::unique_ptr<Generation>;

  explicit Loop(const EngineOptions& options) : options_(options) {}
  Status load_parts();
  Status load_tokenizer();
  Status check(const GenerateRequest& request) const;
  void describe(const ModelFile& file);
  void run();
  bool prepare();
  bool has_work() const;
  void take_cancelled(std::deque<Active>& from);
  void admit();
  std::size_t pages_for(const Generation& generation) const;
  void take_back(Generation& generation);
  void step();
  void end_cancelled();
  void drop(Generation* over);
  void end_all();
  void forget(Generation& over);

  const EngineOptions options_;
  std::unique_ptr<ModelFile> file_;
  std::unique_ptr<kernels::Device> device_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::optional<Result<ChatTemplate>> chat_template_;
  ModelInfo info_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;                       // guarded
  bool changed_ = false;                        // guarded: a flag below was set
  RequestId last_id_ = 0;                       // guarded
  std::deque<Active> queue_;                    // guarded: not admitted yet
  std::unordered_map<RequestId, Flags> flags_;  // guarded: of every request not over

  std::deque<Active> active_;
  std::deque<Active> cancelled_;
  std::vector<Generation*> running_;  // active and not paused, in this step
  std::unique_ptr<KvPages> cache_;
  std::vector<PageId> free_pages_;  // guarded
  std::thread thread_;
};

Result<std::unique_ptr<Engine::Loop>> Engine::Loop::load(const EngineOptions& options) {
  EngineOptions checked = options;
  checked.sequences_max = std::max(1u, options.sequences_max);
  checked.batch_tokens = std::max(options.batch_tokens, checked.sequences_max);
  std::unique_ptr<Loop> loop(new Loop(checked));
  if (auto status = loop->load_parts(); !status) return status.error();
  return loop;
}

Status Engine::Loop::load_parts() {
  auto file = ModelFile::open(options_.model_path);
  if (!file) return file.error();
  file_ = std::make_unique<ModelFile>(std::move(*file));
  device_ = kernels::make_cpu_device(options_.threads);
  auto model = Model::load(*file_, *device_, options_.batch_tokens, options_.sequences_max);
  if (!model) return model.error();
  model_ = std::move(*model);
  if (auto status = load_tokenizer(); !status) return status;
  describe(*file_);
  const std::size_t pages = options_.cache_bytes_max / model_->page_bytes();
  if (pages == 0) {
    return invalid_argument("cache_megabytes: " + std::to_string(kPagePositions) + " tokens need " +
                            std::to_string(model_->page_bytes()) + " bytes; raise it");
  }
  auto cache = model_->new_pages(pages);
  if (!cache) return cache.error();
  cache_ = std::move(*cache);
  for (std::size_t i = 0; i < pages; ++i) free_pages_.push_back(static_cast<PageId>(i));
  return ok();
}

Status Engine::Loop::load_tokenizer() {
  auto tokenizer = Tokenizer::load(*file_);
  if (!tokenizer) return tokenizer.error();
  tokenizer_ = std::move(*tokenizer);
  const std::size_t tokens = tokenizer_->vocabulary().size();
  if (tokens != model_->vocabulary()) {
    return file_->wrong("tokenizer.ggml.tokens",
                        "has " + std::to_string(tokens) + " tokens, the model " +
                            std::to_string(model_->vocabulary()) + "; convert the model again");
  }
  const auto source = file_->text("tokenizer.chat_template");
  if (!source) return source.error();
  if (!source->has_value()) return ok();
  auto parsed = ChatTemplate::parse(**source);
  // Such a model still completes plain text; conversations hear why they cannot be rendered.
  chat_template_.emplace(std::move(parsed));
  return ok();
}

void Engine::Loop::describe(const ModelFile& file) {
  const auto text = [&](std::string_view key) -> std::string {
    const auto found = file.text(key);
    return found && found->has_value() ? std::string(**found) : std::string();
  };
  info_.name = text("general.name");
  info_.architecture = text("general.architecture");
  info_.file_type = find_ggml_type(file.tensor("blk.0.ffn_down.weight")->type)->name;
  info_.parameters = model_->weight_count();
  std::uint64_t context = model_->parameters().context_length;
  if (options_.context_tokens > 0) {
    context = std::min<std::uint64_t>(context, options_.context_tokens);
  }
  const std::uint64_t pages = options_.cache_bytes_max / model_->page_bytes();
  context = std::min<std::uint64_t>(context, pages * kPagePositions);
  info_.context_tokens = static_cast<std::uint32_t>(context);
}

Status Engine::Loop::check(const GenerateRequest& request) const {
  const std::size_t prompt = request.prompt_tokens.size();
  if (prompt == 0) return invalid_argument("the prompt has no tokens");
  const std::size_t answer = std::max<std::size_t>(request.max_tokens, 1);
  if (prompt + answer > info_.context_tokens) {
    return context_error(prompt, answer, info_.context_tokens);
  }
  for (const Token token : request.prompt_tokens) {
    if (token < 0 || static_cast<std::size_t>(token) >= model_->vocabulary()) {
      return invalid_argument("prompt token " + std::to_string(token) +
                              " is not in the vocabulary of " +
                              std::to_string(model_->vocabulary()));
    }
  }
  if (request.stop.size() > kStopStringsMax) {
    return invalid_argument("at most " + std::to_string(kStopStringsMax) +
                            " stop strings are allowed");
  }
  for (const std::string& stop : request.stop) {
    if (stop.empty() || stop.size() > kStopStringBytesMax) {
      return invalid_argument("a stop string must have 1 to " +
                              std::to_string(kStopStringBytesMax) + " bytes");
    }
  }
  return check_answer(request, model_->vocabulary());
}

Result<RequestId> Engine::Loop::submit(GenerateRequest request, StreamListener& listener) {
  if (auto status = check(request); !status) return status.error();
  if (request.max_tokens == 0) {
    const auto room =
        info_.context_tokens - static_cast<std::uint32_t>(request.prompt_tokens.size());
    const std::uint32_t wanted = options_.answer_tokens_default;
    request.max_tokens = wanted == 0 ? room : std::min(wanted, room);
  }
  RequestId id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error{Code::kUnavailable, "the engine has stopped", {}, 0, 0};
    if (queue_.size() >= options_.queue_max) {
      return Error{Code::kResourceExhausted,
                   std::to_string(queue_.size()) + " requests are waiting; retry later",
                   {},
                   0,
                   kQueueFullRetryMs};
    }
    id = ++last_id_;
    queue_.push_back(std::make_unique<Generation>(id, std::move(request), listener));
    flags_.emplace(id, Flags());
  }
  wake_.notify_one();
  return id;
}

void Engine::Loop::cancel(RequestId id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = flags_.find(id);
    if (found == flags_.end()) return;
    found->second.cancelled = true;
    changed_ = true;
  }
  wake_.notify_one();
}

void Engine::Loop::pause(RequestId id, bool paused) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = flags_.find(id);
    if (found == flags_.end()) return;
    found->second.paused = paused;
    changed_ = true;
  }
  wake_.notify_one();
}

void Engine::Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Engine::Loop::run() {
  while (prepare()) {
    end_cancelled();
    if (!running_.empty()) step();
  }
  end_all();
}

// Waits for something to do and takes it over from the other threads; false to stop.
bool Engine::Loop::prepare() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || has_work(); });
  if (stopping_) return false;
  changed_ = false;
  take_cancelled(queue_);
  take_cancelled(active_);
  admit();
  running_.clear();
  for (const Active& generation : active_) {
    if (!flags_.at(generation->id()).paused) running_.push_back(generation.get());
  }
  return true;
}

bool Engine::Loop::has_work() const {
  const bool runnable = std::any_of(active_.begin(), active_.end(), [this](const Active& active) {
    return !flags_.at(active->id()).paused;
  });
  const bool admissible = !queue_.empty() && active_.size() < options_.sequences_max &&
                          pages_for(*queue_.front()) <= free_pages_.size();
  return changed_ || runnable || admissible;
}

void Engine::Loop::take_cancelled(std::deque<Active>& from) {
  for (Active& generation : from) {
    if (!flags_.at(generation->id()).cancelled) continue;
    flags_.erase(generation->id());
    take_back(*generation);
    cancelled_.push_back(std::move(generation));
  }
  std::erase(from, nullptr);
}

void Engine::Loop::admit() {
  while (!queue_.empty() && active_.size() < options_.sequences_max) {
    const std::size_t needed = pages_for(*queue_.front());
    if (needed > free_pages_.size()) return;
    const auto first = free_pages_.end() - static_cast<std::ptrdiff_t>(needed);
    queue_.front()->pages().assign(first, free_pages_.end());
    free_pages_.erase(first, free_pages_.end());
    active_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
}

void Engine::Loop::end_cancelled() {
  for (const Active& generation : cancelled_) generation->cancel();
  cancelled_.clear();
}

void Engine::Loop::forget(Generation& over) {
  const std::lock_guard lock(mutex_);
  flags_.erase(over.id());
  take_back(over);
}

std::size_t Engine::Loop::pages_for(const Generation& generation) const {
  return (generation.positions() + kPagePositions - 1) / kPagePositions;
}

void Engine::Loop::take_back(Generation& generation) {
  free_pages_.insert(free_pages_.end(), generation.pages().begin(), generation.pages().end());
  generation.pages().clear();
}

void Engine::Loop::step() {
  std::vector<Runnable> runnables;
  for (Generation* generation : running_) runnables.push_back({generation->prompt_left()});
  const auto counts = plan_step(runnables, options_.batch_tokens);
  std::vector<BatchEntry> batch;
  std::vector<Generation*> hearing;  // in the order of the rows of logits
  for (std::size_t i = 0; i < running_.size(); ++i) {
    running_[i]->append_entries(counts[i], batch);
    if (batch.back().wants_logits) hearing.push_back(running_[i]);
  }
  const kernels::ConstMatrix logits = model_->forward(batch, *cache_);
  for (std::size_t row = 0; row < hearing.size(); ++row) {
    const std::span<const float> own(logits.row(row), logits.columns);
    if (!hearing[row]->accept(own, *tokenizer_)) continue;
    drop(hearing[row]);
  }
}

void Engine::Loop::drop(Generation* over) {
  forget(*over);
  std::erase_if(active_, [&](const Active& active) { return active.get() == over; });
}

void Engine::Loop::end_all() {
  std::deque<Active> all = std::move(active_);
  {
    const std::lock_guard lock(mutex_);
    for (Active& generation : queue_) all.push_back(std::move(generation));
    queue_.clear();
    flags_.clear();
  }
  const Error error{Code::kUnavailable, "the engine is stopping; retry later", {}, 0, 0};
  for (const Active& generation : all) generation->listener().on_error(error);
}

Engine::Engine(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {
  loop_->start();
}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::load(const EngineOptions& options) {
  auto loop = Loop::load(options);
  if (!loop) return loop.error();
  return std::unique_ptr<Engine>(new Engine(std::move(*loop)));
}

const ModelInfo& Engine::info() const {
  return loop_->info();
}
const Tokenizer& Engine::tokenizer() const {
  return loop_->tokenizer();
}

Result<std::string> Engine::render_chat(Object inputs, std::int64_t now_s) const {
  if (!loop_->chat_template()) {
    return Error{Code::kFailedPrecondition,
                 "the model has no chat template; send a plain completion",
                 {},
                 0,
                 0};
  }
  const Result<ChatTemplate>& chat_template = *loop_->chat_template();
  if (!chat_template) return chat_template.error();
  const Vocabulary& vocabulary = tokenizer().vocabulary();
  const auto text = [&](const std::optional<Token>& token) {
    return token ? std::string(vocabulary.text(*token)) : std::string();
  };
  inputs.set("bos_token", text(vocabulary.bos()));
  inputs.set("eos_token", text(vocabulary.eos()));
  return chat_template->render(Value(std::move(inputs)), now_s);
}

Status Engine::check_length(std::string_view text) const {
  const std::size_t context = info().context_tokens;
  if (text.size() / tokenizer().vocabulary().longest_bytes() <= context) return ok();
  return Error{Code::kInvalidArgument,
               "the prompt has " + std::to_string(text.size()) + " bytes; the context holds " +
                   std::to_string(context) + " tokens: shorten the prompt",
               "CONTEXT_LENGTH_EXCEEDED", 0, 0};
}

std::vector<Token> Engine::tokenize_chat(std::string_view rendered) const {
  const auto bos = tokenizer().vocabulary().bos();
  const bool has_bos = bos && rendered.starts_with(tokenizer().vocabulary().text(*bos));
  return tokenizer().encode(rendered, {!has_bos, true});
}

std::vector<Token> Engine::tokenize_text(std::string_view text) const {
  return tokenizer().encode(text, {true, false});
}

Result<RequestId> Engine::submit(GenerateRequest request, StreamListener& listener) {
  return loop_->submit(std::move(request), listener);
}
void Engine::cancel(RequestId id) {
  loop_->cancel(id);
}
void Engine::pause(RequestId id) {
  loop_->pause(id, true);
}
void Engine::resume(RequestId id) {
  loop_->pause(id, false);
}
void Engine::stop() {
  loop_->stop();
}

}  // namespace backplane::local
