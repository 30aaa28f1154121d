// SPDX-License-Identifier: Apache-2.0
// Thousands of calls with random backends, payments, faults and clients in virtual time. A world
// checks at its end that nothing is left over; a failure prints the seed that replays it:
//   BACKPLANE_SEED=<seed> runtime_pipeline_test --gtest_filter='Simulation.*'
#include "tests/runtime/pipeline/world.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace backplane::test {
namespace {

constexpr std::uint32_t kLoops = 2;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t count) { return random_() % count; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  When when() { return static_cast<When>(below(4)); }

 private:
  std::mt19937_64 random_;
};

Step random_step(Dice& dice) {
  Step step = text("x");
  if (dice.one_in(5)) step = usage(dice.below(100), dice.below(100));
  if (dice.one_in(8)) step = head({{"x-a", "1"}});
  if (dice.one_in(60)) step.sequence_shift = dice.one_in(2) ? 1 : -1;
  if (dice.one_in(80)) step.struct_size = static_cast<std::uint32_t>(dice.below(112));
  return step;
}

Step random_terminal(Dice& dice) {
  constexpr Code kCodes[] = {Code::kUnavailable, Code::kInvalidArgument, Code::kInternal};
  Step step = dice.one_in(3) ? error(kCodes[dice.below(3)]) : end();
  step.without_error = dice.one_in(5);
  if (dice.one_in(40)) step.sequence_shift = 1;
  return step;
}

Script random_script(Dice& dice) {
  Script script;
  const bool fails = dice.one_in(8);
  const bool at_once = fails || dice.one_in(4);
  const std::uint64_t count = fails && !dice.one_in(4) ? 0 : dice.below(12);
  for (std::uint64_t i = 0; i < count; ++i) script.steps.push_back(random_step(dice));
  if (!fails || dice.one_in(6)) script.steps.push_back(random_terminal(dice));
  for (Step& step : script.steps) {
    step.when = at_once ? When::kNow : dice.when();
    step.delay_ms = dice.one_in(20) ? 700'000 : dice.below(50);
  }
  if (fails) {
    script.submit_error = error(dice.one_in(2) ? Code::kUnavailable : Code::kNotFound).error;
    script.submit_says_why = !dice.one_in(4);
    script.gives_call = !dice.one_in(4);
    if (!script.gives_call) script.submit_error.code = Code::kOk;
  }
  script.keeps_pause = !dice.one_in(6);
  script.keeps_stop = fails || !dice.one_in(8);
  script.cancel_when = dice.when();
  script.cancel_delay_ms = dice.one_in(8) ? 5000 : dice.below(100);
  script.usage_on_cancel = dice.one_in(3);
  script.stray_after_end = dice.one_in(20);
  return script;
}

Decision random_decision(Dice& dice) {
  Decision decision;
  if (dice.one_in(6)) decision.verdict = BP_VERDICT_CHALLENGE;
  if (dice.one_in(6)) decision.verdict = BP_VERDICT_DENY;
  if (dice.one_in(50)) decision.verdict = 9;
  decision.when = dice.when();
  decision.delay_ms = dice.one_in(20) ? 700'000 : dice.below(30);
  decision.message = dice.one_in(3) ? "" : "no";
  decision.authorize_fails = dice.one_in(30);
  return decision;
}

// Pauses, resumes, cancels and leaves as it likes, inside the emit and between the events.
void act(Client& client, Dice& dice) {
  if (client.left() || client.begin_error.code != BP_CODE_OK) return;
  if (dice.one_in(3)) client.resume();
  if (dice.one_in(25)) client.cancel();
  if (dice.one_in(25)) client.leave();
}

void begin(Client& client, Dice& dice) {
  client.answer = [&dice](Client& self, const Client::Event&) -> std::uint32_t {
    if (dice.one_in(10)) act(self, dice);
    if (dice.one_in(60)) return BP_FLOW_STOP;
    return dice.one_in(6) ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
  };
  constexpr const char* kBodies[] = {R"({"model":"m"})", R"({"model":"m","seed":1})",
                                     R"({"model":"w","stream":true})",
                                     R"({"model":"m","provider":"b"})", R"({"model":"none"})"};
  client.begin(kBodies[dice.below(5)]);
}

void simulate(std::uint64_t seed) {
  constexpr int kCalls = 40;
  Dice dice(seed);
  World world(kLoops, seed);
  std::vector<ScriptedBackend*> backends = {&world.add_backend("a", 3), &world.add_backend("b"),
                                            &world.add_backend("c", 10)};
  std::vector<ScriptedPayment*> payments;
  for (const char* name : {"p", "q"}) {
    if (!dice.one_in(3)) payments.push_back(&world.add_payment(name));
  }
  Model& model = world.add_model("m", {"a", "b", "c"});
  model.price = {1'000'000, 1'000'000};
  if (dice.one_in(2)) model.cache = {1, dice.one_in(2) ? 50U : 0U, ""};
  if (dice.one_in(4)) world.cache.set_bounds({std::uint64_t{1} << 20U, 300});
  world.add_model("w", {"c", "b", "a"}).policy = RoutePolicy::kWeighted;
  for (ScriptedBackend* backend : backends) {
    for (int i = 0; i < kCalls; ++i) backend->scripts.push_back(random_script(dice));
  }
  for (ScriptedPayment* payment : payments) {
    for (int i = 0; i < kCalls; ++i) payment->decisions.push_back(random_decision(dice));
  }
  world.open();

  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kCalls; ++i) {
    clients.push_back(
        std::make_unique<Client>(world, static_cast<std::uint32_t>(dice.below(kLoops))));
    begin(*clients.back(), dice);
    for (std::uint64_t turn = dice.below(30); turn > 0; --turn) {
      world.loops.run_one();
      act(*clients[dice.below(clients.size())], dice);
    }
    if (dice.one_in(3)) world.loops.advance(dice.below(40));
  }
  if (dice.one_in(3)) world.gateway->shut_down_calls();
  world.loops.run_to_the_end();
  for (const auto& client : clients) {
    const bool begun = client->begin_error.code == BP_CODE_OK;
    EXPECT_TRUE(!begun || client->left() || client->ended()) << client->log();
    client->leave();
  }
  world.loops.run_to_the_end();
  EXPECT_EQ(world.loops.timer_count(), 0U);
  for (ScriptedPayment* payment : payments) EXPECT_EQ(payment->open(), 0);
}

TEST(Simulation, NothingIsLeftOver) {
  constexpr std::uint64_t kRuns = 500;
  const char* const given = std::getenv("BACKPLANE_SEED");
  const std::uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  const std::uint64_t runs = given != nullptr ? 1 : kRuns;
  std::printf("seeds %llu and the %llu that follow\n", static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(runs - 1));
  for (std::uint64_t seed = first; seed < first + runs && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("BACKPLANE_SEED=" + std::to_string(seed));
    simulate(seed);
  }
}

}  // namespace
}  // namespace backplane::test
