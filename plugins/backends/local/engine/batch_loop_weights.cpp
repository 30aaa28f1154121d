// SPDX-License-Identifier: Apache-2.0
// When the weights come and go.
#include <exception>
#include <utility>

#include "plugins/backends/local/engine/batch_loop.hpp"

namespace backplane::local {
namespace {

constexpr std::uint64_t kLoadRetryMs = 5'000;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string seconds_text(double seconds) {
  const std::string text = std::to_string(seconds);
  return text.substr(0, text.find('.') + 2) + " s";
}

}  // namespace

// Beside this thread, which goes on to answer cancels.
void BatchLoop::begin_to_load() {
  log("loading the weights");
  loaded_ = false;
  loader_ = std::thread([this] {
    const Clock::time_point begin = Clock::now();
    loading_ = Weights::load(options_, pages_, tokenizer_.vocabulary().size());
    if (*loading_) log("loaded the weights in " + seconds_text(seconds_since(begin)));
    loaded_ = true;
    inbox_.wake();
  });
}

void BatchLoop::take_loaded() {
  if (!loader_.joinable() || !loaded_) return;
  loader_.join();
  Result<std::unique_ptr<Weights>> weights = std::move(*std::exchange(loading_, std::nullopt));
  if (weights) return use(std::move(*weights));
  log("loading the weights failed: " + weights.error().message, true);
  end_all({Code::kUnavailable, "the model could not be loaded; the server's log tells why",
           "MODEL_UNAVAILABLE", 503, kLoadRetryMs});
}

void BatchLoop::use(std::unique_ptr<Weights> weights) {
  weights_ = std::move(weights);
  roster_.set_pool(pages_);
  last_work_ = Clock::now();
}

// Negative: never.
std::chrono::milliseconds BatchLoop::idle_unload() const {
  if (keep_alive_) return *keep_alive_;
  return options_.idle_unload.count() == 0 ? std::chrono::milliseconds(-1) : options_.idle_unload;
}

std::optional<Clock::time_point> BatchLoop::unload_time() const {
  if (weights_ == nullptr || idle_unload().count() < 0 || !roster_.empty()) return {};
  return last_work_ + idle_unload();
}

void BatchLoop::unload_when_idle() {
  const std::optional<Clock::time_point> time = unload_time();
  if (!time || Clock::now() < *time) return;
  release_weights();
  log("unloaded the weights: no request for " +
      seconds_text(std::chrono::duration<double>(idle_unload()).count()));
}

void BatchLoop::release_weights() {
  weights_.reset();
  roster_.set_pool(0);
}

void BatchLoop::log(const std::string& line, bool is_error) const {
  if (options_.log) options_.log(line, is_error);
}

}  // namespace backplane::local
