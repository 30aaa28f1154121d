// SPDX-License-Identifier: Apache-2.0
// Weights that come with the first request and go when nobody asks.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/plugins/backends/local/engine/heard.hpp"

namespace backplane::local {
namespace {

constexpr std::chrono::seconds kPatience{60};

class LoadedMeter final : public EngineMeters {
 public:
  void on_gauges(const EngineGauges& gauges) override {
    const std::lock_guard lock(mutex_);
    gauges_ = gauges;
    changed_.notify_all();
  }
  void on_step(std::size_t, std::size_t, std::size_t, std::int64_t) override {}
  void on_prefix_hit(std::size_t) override {}
  void on_preemption() override {}
  void on_first_token(std::int64_t) override {}
  void on_next_token(std::int64_t) override {}

  bool loaded() const {
    const std::lock_guard lock(mutex_);
    return gauges_.loaded;
  }
  bool wait_until_unloaded() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [this] { return !gauges_.loaded; });
  }
  EngineGauges gauges() const {
    const std::lock_guard lock(mutex_);
    return gauges_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  EngineGauges gauges_;
};

TEST(EngineLifecycle, ALazyEngineLoadsWithTheFirstRequest) {
  const std::string expected = text_alone(*load(tiny_options()), request_for(0));
  LoadedMeter meter;
  EngineOptions options = tiny_options();
  options.lazy = true;
  options.meters = &meter;
  const auto engine = load(options);
  EXPECT_EQ(engine->info().context_tokens, kTinyContext);
  EXPECT_GT(engine->info().parameters, 20000u);
  EXPECT_FALSE(meter.loaded());
  EXPECT_EQ(meter.gauges().pages, 0U);
  std::vector<Heard> heard(4);
  for (Heard& each : heard) each.submit(*engine, request_for(0));
  for (Heard& each : heard) {
    each.wait();
    EXPECT_EQ(each.text(), expected);
  }
  EXPECT_TRUE(meter.loaded());
}

TEST(EngineLifecycle, AnIdleEngineLetsGoAndComesBack) {
  LoadedMeter meter;
  std::mutex mutex;
  std::vector<std::string> lines;
  EngineOptions options = tiny_options();
  options.idle_unload = std::chrono::milliseconds(1);
  options.meters = &meter;
  options.log = [&](std::string_view line, bool is_error) {
    EXPECT_FALSE(is_error) << line;
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  auto engine = load(options);
  const std::string expected = text_alone(*engine, request_for(1));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(meter.wait_until_unloaded());
    EXPECT_EQ(meter.gauges().pages, 0U);
    EXPECT_EQ(text_alone(*engine, request_for(1)), expected);
  }
  engine.reset();
  EXPECT_GE(std::count(lines.begin(), lines.end(), "loading the weights"), 3);
  const auto said = [&](std::string_view beginning) {
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return line.starts_with(beginning); });
  };
  EXPECT_GE(said("loaded the weights in "), 3);
  EXPECT_GE(said("unloaded the weights: no request for 0.0 s"), 3);
}

GenerateRequest kept_for(std::optional<std::chrono::milliseconds> time) {
  GenerateRequest request = request_for(1);
  request.keep_alive = time;
  return request;
}

TEST(EngineLifecycle, ARequestSaysWhenTheWeightsGo) {
  LoadedMeter meter;
  EngineOptions options = tiny_options();  // would keep them for ever
  options.meters = &meter;
  const auto engine = load(options);
  const std::string expected = text_alone(*engine, request_for(1));
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(text_alone(*engine, kept_for(std::chrono::milliseconds(0))), expected);
    ASSERT_TRUE(meter.wait_until_unloaded());
  }
}

TEST(EngineLifecycle, ARequestKeepsTheWeightsThatWouldGo) {
  LoadedMeter meter;
  std::atomic<int> unloaded{0};
  EngineOptions options = tiny_options();
  options.idle_unload = std::chrono::milliseconds(1);
  options.lazy = true;
  options.meters = &meter;
  options.log = [&](std::string_view line, bool) {
    unloaded += line.starts_with("unloaded") ? 1 : 0;
  };
  const auto engine = load(options);
  const std::string expected = text_alone(*engine, kept_for(std::chrono::milliseconds(-1)));
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(text_alone(*engine, kept_for(std::chrono::hours(1))), expected);
  }
  EXPECT_EQ(unloaded, 0);
  EXPECT_TRUE(meter.loaded());
  // Who says nothing has the setting again.
  EXPECT_EQ(text_alone(*engine, request_for(1)), expected);
  EXPECT_TRUE(meter.wait_until_unloaded());
}

TEST(EngineLifecycle, WeightsThatCannotBeLoadedAreSaidAndTriedAgain) {
  std::atomic<int> errors{0};
  EngineOptions options = tiny_options();
  options.model_path = tiny_model().save("lazy.gguf");
  options.lazy = true;
  options.log = [&](std::string_view, bool is_error) { errors += is_error ? 1 : 0; };
  const auto engine = load(options);
  const std::string aside = options.model_path + ".aside";
  std::filesystem::rename(options.model_path, aside);
  for (int round = 1; round <= 2; ++round) {
    Heard heard;
    heard.submit(*engine, request_for(0));
    heard.wait();
    ASSERT_TRUE(heard.error());
    EXPECT_EQ(heard.error()->code, Code::kUnavailable);
    EXPECT_EQ(heard.error()->http_status, 503u);
    EXPECT_GT(heard.error()->retry_after_ms, 0u);
    EXPECT_EQ(heard.error()->message.find(options.model_path), std::string::npos);
    EXPECT_EQ(errors, round);
  }
  std::filesystem::rename(aside, options.model_path);
  EXPECT_EQ(text_alone(*engine, request_for(0)), text_alone(*load(tiny_options()), request_for(0)));
}

// Models of one process compute in turns; none of it is heard.
TEST(EngineLifecycle, SeveralEnginesServeSideBySide) {
  EngineOptions options = tiny_options();
  std::vector<std::unique_ptr<Engine>> engines;
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    options.model_path = tiny_model(0, seed).save("several.gguf");
    options.threads = seed;
    engines.push_back(load(options));
  }
  std::vector<std::string> alone;
  for (const auto& engine : engines) alone.push_back(text_alone(*engine, request_for(2)));
  EXPECT_NE(alone[0], alone[1]);
  std::vector<Heard> heard(30);
  for (std::size_t i = 0; i < heard.size(); ++i) heard[i].submit(*engines[i % 3], request_for(2));
  for (std::size_t i = 0; i < heard.size(); ++i) {
    heard[i].wait();
    EXPECT_EQ(heard[i].text(), alone[i % 3]);
  }
}

}  // namespace
}  // namespace backplane::local
