// SPDX-License-Identifier: Apache-2.0
// What structured output costs: compiling a schema, and the mask of each token of valid instances.
// Reads BACKPLANE_BENCH_SCHEMAS, lines of {"schema": ..., "tests": [{"valid": true, "data": ...}]},
// and BACKPLANE_BENCH_VOCABULARY, a GGUF file with a tokenizer. Percentiles are of the thread's CPU
// time, so that other load on the machine does not count.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "plugins/backends/local/structured/grammar_constraint.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

struct Case {
  std::string schema;
  std::vector<std::string> instances;
};

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  const char* path = std::getenv("BACKPLANE_BENCH_SCHEMAS");
  std::ifstream file(path == nullptr ? "" : path);
  for (std::string line; std::getline(file, line);) {
    const json::value recorded = json::parse(line);
    Case one{json::serialize(recorded.at("schema")), {}};
    for (const json::value& test : recorded.at("tests").as_array()) {
      if (test.at("valid").as_bool()) one.instances.push_back(json::serialize(test.at("data")));
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

double now_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

void report(benchmark::State& state, std::vector<double>& times_us) {
  if (times_us.empty()) return state.SkipWithError("nothing was measured");
  std::sort(times_us.begin(), times_us.end());
  double sum = 0;
  for (const double time : times_us) sum += time;
  const auto at = [&times_us](double share) {
    return times_us[static_cast<std::size_t>(static_cast<double>(times_us.size() - 1) * share)];
  };
  state.counters["count"] = static_cast<double>(times_us.size());
  state.counters["mean_us"] = sum / static_cast<double>(times_us.size());
  state.counters["p50_us"] = at(0.5);
  state.counters["p99_us"] = at(0.99);
  state.counters["max_us"] = at(1);
}

void compile(benchmark::State& state) {
  const auto cases = read_cases();
  if (cases.empty()) return state.SkipWithError("BACKPLANE_BENCH_SCHEMAS names no schemas");
  std::vector<double> times_us;
  for (auto _ : state) {
    for (const Case& one : cases) {
      const double begin = now_us();
      benchmark::DoNotOptimize(compile_json_schema(one.schema, {}));
      times_us.push_back(now_us() - begin);
    }
  }
  report(state, times_us);
}
BENCHMARK(compile)->Unit(benchmark::kMillisecond);

void time_masks(const GrammarPointer& grammar, const Tokenizer& tokenizer, const TokenTrie& trie,
                const std::string& text, std::vector<double>& times_us) {
  const auto constraint = make_constraint(grammar, trie);
  std::vector<std::uint64_t> mask(trie.mask_words());
  for (const Token token : tokenizer.encode(text, {})) {
    std::fill(mask.begin(), mask.end(), ~std::uint64_t{0});
    const double begin = now_us();
    constraint->restrict(mask);
    times_us.push_back(now_us() - begin);
    const auto place = static_cast<std::size_t>(token);
    if ((mask[place / 64] >> (place % 64) & 1) == 0) return;
    constraint->accept(token);
  }
}

void mask(benchmark::State& state) {
  const auto cases = read_cases();
  const char* path = std::getenv("BACKPLANE_BENCH_VOCABULARY");
  const auto file = ModelFile::open(path == nullptr ? "" : path);
  if (cases.empty() || !file) {
    return state.SkipWithError("BACKPLANE_BENCH_SCHEMAS or _VOCABULARY names no file");
  }
  const auto tokenizer = Tokenizer::load(*file);
  const TokenTrie trie(**tokenizer);
  std::vector<double> times_us;
  for (auto _ : state) {
    for (const Case& one : cases) {
      const auto grammar = compile_json_schema(one.schema, {});
      if (!grammar) continue;
      for (const std::string& text : one.instances) {
        time_masks(*grammar, **tokenizer, trie, text, times_us);
      }
    }
  }
  report(state, times_us);
}
BENCHMARK(mask)->Unit(benchmark::kMillisecond);

void build_trie(benchmark::State& state) {
  const char* path = std::getenv("BACKPLANE_BENCH_VOCABULARY");
  const auto file = ModelFile::open(path == nullptr ? "" : path);
  if (!file) return state.SkipWithError("BACKPLANE_BENCH_VOCABULARY names no file");
  const auto tokenizer = Tokenizer::load(*file);
  for (auto _ : state) benchmark::DoNotOptimize(TokenTrie(**tokenizer));
}
BENCHMARK(build_trie)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace backplane::local
