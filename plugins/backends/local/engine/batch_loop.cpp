// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/engine/batch_loop.hpp"

#include <algorithm>
#include <utility>

#include "kernels/cpu/thread_pool.hpp"
#include "plugins/backends/local/engine/cpu_share.hpp"

namespace backplane::local {
namespace {

// A step may take this many times as long while no stream waits for its end.
constexpr double kUnhurried = 4;
// ... or this many times what the streams take by themselves for each waiting prompt, up to so many
// prompts: streams, computed together, count as one of those who wait.
constexpr std::size_t kPromptsHeard = 8;
// Of prompts, in each step, whatever that takes.
constexpr std::size_t kPromptTokensMin = 8;

std::int64_t nanoseconds(Clock::duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
}

}  // namespace

BatchLoop::BatchLoop(const EngineOptions& options, std::size_t pages, const Tokenizer& tokenizer,
                     std::unique_ptr<Weights> weights)
    : options_(options),
      pages_(pages),
      tokenizer_(tokenizer),
      inbox_(options.queue_max),
      roster_(options.sequences_max, options.reuse_prefixes, options.meters),
      last_work_(Clock::now()) {
  if (weights != nullptr) use(std::move(weights));
  report();
  thread_ = std::thread([this] { run(); });
}

void BatchLoop::stop() {
  inbox_.stop();
  if (thread_.joinable()) thread_.join();
  if (loader_.joinable()) loader_.join();
}

void BatchLoop::run() {
  for (;;) {
    InboxContents contents = inbox_.take(weights_ && roster_.has_work(), unload_time());
    const bool stopping = contents.stopping;
    take_over(std::move(contents));
    if (stopping) break;
    take_loaded();
    if (weights_ != nullptr) {
      work();
    } else if (!roster_.empty() && !loader_.joinable()) {
      begin_to_load();
    }
    inbox_.set_waiting(roster_.fresh());
    unload_when_idle();
    report();
  }
  end_all({Code::kUnavailable, "the engine is stopping; retry later", {}, 0, 0});
  release_weights();
  report();
}

void BatchLoop::take_over(InboxContents contents) {
  for (auto& generation : contents.arrived) {
    keep_alive_ = generation->request().keep_alive;
    roster_.add(std::move(generation));
  }
  for (const InboxChange& change : contents.changes) {
    if (change.kind != InboxChange::Kind::kCancel) {
      roster_.set_paused(change.id, change.kind == InboxChange::Kind::kPause);
    } else if (const auto generation = roster_.remove(change.id); generation != nullptr) {
      generation->cancel();
    }
  }
}

void BatchLoop::work() {
  roster_.admit();
  inbox_.set_waiting(roster_.fresh());
  weights_->adapters().sweep();
  std::vector<Grant> grants = roster_.plan(budget());
  if (grants.empty()) return;
  compute(std::move(grants));
  last_work_ = Clock::now();
}

std::size_t BatchLoop::budget() const {
  const std::size_t streams = roster_.streams();
  const std::size_t heard = std::min(roster_.prompts(), kPromptsHeard);
  const double shared_ms = pace_.milliseconds_for(streams) * static_cast<double>(1 + heard);
  const double milliseconds =
      streams > 0 ? std::max<double>(options_.step_ms, shared_ms) : options_.step_ms * kUnhurried;
  const std::size_t fitting = pace_.tokens_within(milliseconds);
  return std::min<std::size_t>(std::max(fitting, streams + kPromptTokensMin),
                               options_.batch_tokens);
}

// False where the request is over, for its adapter cannot be had.
bool BatchLoop::append(const Grant& grant, std::vector<BatchEntry>& batch) {
  Generation& generation = *grant.generation;
  const auto& adapter = generation.request().adapter;
  Result<const Adaptation*> adaptation = nullptr;
  if (adapter != nullptr) adaptation = weights_->adapters().place(adapter);
  if (adaptation) {
    generation.append_entries(grant.tokens, *adaptation, batch);
    return true;
  }
  generation.listener().on_error(adaptation.error());
  end(generation);
  return false;
}

void BatchLoop::compute(std::vector<Grant> grants) {
  const std::size_t streams = roster_.streams();
  std::vector<BatchEntry> batch;
  std::erase_if(grants, [&](const Grant& grant) { return !append(grant, batch); });
  if (batch.empty()) return;
  const std::size_t threads = options_.threads == 0 ? kernels::available_cpus() : options_.threads;
  const CpuShare::Turn turn(CpuShare::of_process(), threads);
  const Clock::time_point begin = Clock::now();
  const kernels::ConstMatrix logits = weights_->model().forward(batch, weights_->cache());
  const Clock::duration taken = Clock::now() - begin;
  pace_.note(batch.size(), std::chrono::duration<double, std::milli>(taken).count());
  if (options_.meters != nullptr) {
    options_.meters->on_step(grants.size(), streams, batch.size(), nanoseconds(taken));
  }
  if (options_.reuse_prefixes) {
    for (const Grant& grant : grants) grant.generation->publish(roster_.pool());
  }
  // Who hears of his end is gone, so that both go over those that the other leaves alone.
  const auto pooled = std::stable_partition(grants.begin(), grants.end(), [](const Grant& grant) {
    return grant.generation->request().pooling.has_value();
  });
  take_states({grants.begin(), pooled});
  pick_tokens({pooled, grants.end()}, logits);
}

void BatchLoop::take_states(const std::vector<Grant>& grants) {
  const kernels::ConstMatrix states = weights_->model().hidden_rows();
  std::size_t row = 0;
  for (const Grant& grant : grants) {
    if (grant.generation->accept_states(states, row)) end(*grant.generation);
  }
}

void BatchLoop::pick_tokens(const std::vector<Grant>& grants, kernels::ConstMatrix logits) {
  std::size_t row = 0;
  for (const Grant& grant : grants) {
    Generation& generation = *grant.generation;
    if (!generation.wants_token()) continue;
    const bool is_first = generation.generated() == 0;
    const bool over = generation.accept({logits.row(row++), logits.columns}, tokenizer_);
    const std::int64_t since_ns =
        generation.note_token(nanoseconds(Clock::now().time_since_epoch()));
    if (options_.meters != nullptr && is_first) options_.meters->on_first_token(since_ns);
    if (options_.meters != nullptr && !is_first) options_.meters->on_next_token(since_ns);
    if (over) end(generation);
  }
}

void BatchLoop::end(Generation& over) {
  roster_.remove(over.id());
  inbox_.note_end(Clock::now());
}

void BatchLoop::report() {
  if (options_.meters == nullptr) return;
  const PagePool& pool = roster_.pool();
  options_.meters->on_gauges({roster_.waiting(), roster_.running(), pool.used(), pool.cached(),
                              pool.count(), weights_ != nullptr});
}

void BatchLoop::end_all(const Error& error) {
  for (const auto& generation : roster_.remove_all()) generation->listener().on_error(error);
}

}  // namespace backplane::local
