// SPDX-License-Identifier: Apache-2.0
// Random schedules: requests of all kinds, with adapters and without, come, are cancelled, paused
// and resumed at random moments, in a cache far too small for them, while adapters are let go and
// read anew. Whatever happens every request ends once, says what it says alone, and no page is
// lost. A failing round prints its seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <random>

#include "plugins/backends/local/engine/engine.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BACKPLANE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BACKPLANE_SANITIZED 1
#endif
#endif

namespace backplane::local {
namespace {

#ifdef BACKPLANE_SANITIZED
constexpr std::uint32_t kSchedules = 400;
#else
constexpr std::uint32_t kSchedules = 10'000;
#endif
constexpr std::uint32_t kSchedulesOfAnEngine = 100;
constexpr std::size_t kKinds = 40;
constexpr std::size_t kPageBytes = 16 * 2 * 2 * 16 * sizeof(float);
constexpr std::chrono::seconds kPatience{60};

GenerateRequest request_of(std::size_t kind) {
  std::mt19937 random(static_cast<std::uint32_t>(kind));
  GenerateRequest request;
  request.prompt_tokens = {kTinyBos};
  const std::size_t family = kind % 3;  // of kinds that begin alike
  const std::size_t shared = random() % 50;
  for (std::size_t i = 0; i < shared; ++i) {
    request.prompt_tokens.push_back(kTinyFirstByte + static_cast<Token>((i * 7 + family) % 256));
  }
  for (std::size_t own = random() % 20; own > 0; --own) {
    request.prompt_tokens.push_back(kTinyFirstByte + static_cast<Token>(random() % 256));
  }
  request.max_tokens = 1 + static_cast<std::uint32_t>(random() % 16);
  request.sampling = {kind % 2 == 0 ? 0.0f : 1.1f, 0, 0.9f, kind};
  return request;
}

// The adapters of an engine, read from their files when somebody asks for them.
class Shelf {
 public:
  explicit Shelf(const Engine& engine) : engine_(engine) {}

  // Half of the kinds have one.
  void adapt(GenerateRequest& request, std::size_t kind) {
    if (kind % 4 < 2) return;
    auto& adapter = adapters_[kind % 4 - 2];
    if (adapter == nullptr) {
      const auto seed = static_cast<std::uint32_t>(3 + kind % 4);
      auto loaded =
          LoraAdapter::load(tiny_adapter(seed).save("schedules_lora.gguf"), engine_.file());
      ASSERT_TRUE(loaded) << loaded.error().message;
      adapter = std::move(*loaded);
    }
    request.adapter = adapter;
    request.adapter_scale = kind % 8 < 4 ? 1.0f : 0.5f;
  }
  // Those in use stay until they are not.
  void let_go(std::size_t number) { adapters_[number].reset(); }

 private:
  const Engine& engine_;
  std::shared_ptr<const LoraAdapter> adapters_[2];
};

std::unique_ptr<Engine> load(const EngineOptions& options) {
  auto engine = Engine::load(options);
  EXPECT_TRUE(engine) << (engine ? "" : engine.error().message);
  return std::move(*engine);
}

class PageMeters final : public EngineMeters {
 public:
  void on_gauges(const EngineGauges& gauges) override {
    const std::lock_guard lock(mutex_);
    gauges_ = gauges;
    changed_.notify_all();
  }
  void on_step(std::size_t, std::size_t, std::size_t, std::int64_t) override { ++steps; }
  void on_prefix_hit(std::size_t tokens) override { prefix_tokens += tokens; }
  void on_preemption() override { ++preemptions; }
  void on_first_token(std::int64_t) override {}
  void on_next_token(std::int64_t) override {}

  bool wait_until_no_page_is_used() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] {
      return gauges_.waiting + gauges_.running + gauges_.pages_used == 0;
    });
  }

  std::atomic<std::size_t> steps{0}, prefix_tokens{0}, preemptions{0};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  EngineGauges gauges_;
};

// All that happens in a schedule happens in what its requests hear, on the engine's thread: the
// same seed gives the same schedule.
class Schedule {
 public:
  Schedule(Engine& engine, Shelf& shelf, const std::vector<std::string>& alone, std::uint32_t seed)
      : engine_(engine), shelf_(shelf), alone_(alone), random_(seed), to_come_(random_() % 10) {}

  void run() {
    std::unique_lock lock(mutex_);
    submit();
    const bool over = changed_.wait_for(lock, kPatience, [this] { return over_; });
    ASSERT_TRUE(over) << live_ << " requests never ended";
  }

 private:
  struct Call final : StreamListener {
    Call(Schedule& owner, std::size_t its_kind) : schedule(owner), kind(its_kind) {}
    void on_piece(const Piece& piece) override {
      const std::lock_guard lock(schedule.mutex_);
      EXPECT_FALSE(ended);
      text += piece.text;
      schedule.act();
    }
    void on_finish(FinishReason reason, const Usage& usage) override {
      const std::lock_guard lock(schedule.mutex_);
      const std::string& whole = schedule.alone_[kind];
      if (reason == FinishReason::kCancelled) {
        EXPECT_TRUE(cancelled);
        EXPECT_TRUE(whole.starts_with(text)) << "kind " << kind;
      } else {
        EXPECT_EQ(text, whole) << "kind " << kind;
      }
      EXPECT_LT(usage.cached_prompt_tokens, usage.prompt_tokens);
      schedule.end(*this);
    }
    void on_error(const Error& error) override {
      const std::lock_guard lock(schedule.mutex_);
      ADD_FAILURE() << error.message;
      schedule.end(*this);
    }
    Schedule& schedule;
    std::size_t kind;
    RequestId id = 0;
    std::string text;
    bool cancelled = false;
    bool paused = false;
    bool ended = false;
  };

  void submit() {
    const std::size_t kind = random_() % kKinds;
    GenerateRequest request = request_of(kind);
    request.priority = static_cast<std::int32_t>(random_() % 3);
    shelf_.adapt(request, kind);
    Call& call = *calls_.emplace_back(std::make_unique<Call>(*this, kind));
    ++live_;
    const auto id = engine_.submit(std::move(request), call);
    ASSERT_TRUE(id) << id.error().message;
    call.id = *id;
  }
  void act() {
    const std::uint32_t what = static_cast<std::uint32_t>(random_() % 8);
    if (what < 3 && to_come_ > 0) {
      --to_come_;
      submit();
    }
    Call& call = *calls_[random_() % calls_.size()];
    if (call.ended) return;
    if (what == 3) {
      call.cancelled = true;
      engine_.cancel(call.id);
    } else if (what == 4 && !call.paused && others_go_on(call)) {
      call.paused = true;
      engine_.pause(call.id);
    } else if (what == 5) {
      resume(call);
    } else if (what == 6) {
      shelf_.let_go(random_() % 2);
    }
  }
  // Else nothing would be heard any more.
  bool others_go_on(const Call& call) const {
    return std::any_of(calls_.begin(), calls_.end(), [&](const auto& each) {
      return each.get() != &call && !each->ended && !each->paused && !each->cancelled;
    });
  }
  void resume(Call& call) {
    if (!call.paused) return;
    call.paused = false;
    engine_.resume(call.id);
  }
  void end(Call& call) {
    EXPECT_FALSE(call.ended) << "a second end";
    call.ended = true;
    --live_;
    if (to_come_ > 0) {
      --to_come_;
      submit();
    }
    for (const auto& each : calls_) {
      if (!each->ended) resume(*each);
    }
    over_ = live_ == 0;
    changed_.notify_all();
  }

  Engine& engine_;
  Shelf& shelf_;
  const std::vector<std::string>& alone_;
  std::mt19937 random_;
  std::size_t to_come_;
  std::size_t live_ = 0;
  std::vector<std::unique_ptr<Call>> calls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
};

struct Alone final : StreamListener {
  void on_piece(const Piece& piece) override { text += piece.text; }
  void on_finish(FinishReason, const Usage&) override { over.set_value(); }
  void on_error(const Error& error) override { ADD_FAILURE() << error.message; }
  std::string text;
  std::promise<void> over;
};

TEST(Schedules, EveryCallEndsOnceAsItWouldAloneAndNoPageIsLost) {
  EngineOptions options;
  options.model_path = tiny_model().save("schedules.gguf");
  options.threads = 1;
  options.step_ms = 1'000'000;  // time decides nothing
  options.sequences_max = 1;
  options.reuse_prefixes = false;
  options.allows_adapters = true;
  std::vector<std::string> alone;
  {
    const auto engine = load(options);
    Shelf shelf(*engine);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      Alone heard;
      GenerateRequest request = request_of(kind);
      shelf.adapt(request, kind);
      ASSERT_TRUE(engine->submit(std::move(request), heard));
      heard.over.get_future().wait();
      alone.push_back(heard.text);
    }
  }
  PageMeters meters;
  options.reuse_prefixes = true;
  options.meters = &meters;
  const std::uint32_t first_seed = std::random_device()();
  for (std::uint32_t round = 0; round < kSchedules / kSchedulesOfAnEngine; ++round) {
    const std::uint32_t seed = first_seed + round;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    options.sequences_max = 1 + static_cast<std::uint32_t>(random() % 8);
    options.batch_tokens = 8 + static_cast<std::uint32_t>(random() % 40);
    options.cache_bytes_max = kPageBytes * (6 + random() % 20);
    const auto engine = load(options);
    Shelf shelf(*engine);
    for (std::uint32_t i = 0; i < kSchedulesOfAnEngine; ++i) {
      Schedule(*engine, shelf, alone, static_cast<std::uint32_t>(random())).run();
      ASSERT_FALSE(HasFailure());
    }
    ASSERT_TRUE(meters.wait_until_no_page_is_used());
  }
  EXPECT_GT(meters.preemptions, 0U);
  EXPECT_GT(meters.prefix_tokens, 0U);
  std::cout << meters.steps << " steps, " << meters.preemptions << " preemptions, "
            << meters.prefix_tokens << " tokens found\n";
}

}  // namespace
}  // namespace backplane::local
