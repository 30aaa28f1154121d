// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/metrics.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <thread>

namespace backplane::test {
namespace {

using Definition = MetricsRegistry::Definition;

Definition counter(std::string name, std::vector<std::pair<std::string, std::string>> labels = {}) {
  Definition definition;
  definition.name = std::move(name);
  definition.help = "help";
  definition.labels = std::move(labels);
  return definition;
}
Definition gauge(std::string name) {
  Definition definition = counter(std::move(name));
  definition.kind = BP_METRIC_GAUGE;
  return definition;
}
Definition histogram(std::string name, std::vector<std::int64_t> bounds) {
  Definition definition = counter(std::move(name));
  definition.kind = BP_METRIC_HISTOGRAM;
  definition.bounds = std::move(bounds);
  return definition;
}

class MetricsTest : public testing::Test {
 protected:
  bool shows(const std::string& line) const {
    return ('\n' + registry.text()).find('\n' + line + '\n') != std::string::npos;
  }
  MetricsRegistry registry;
};

TEST_F(MetricsTest, CountersGoUpOnly) {
  const std::uint64_t handle = *registry.define(counter("calls_total", {{"model", "m"}}));
  registry.add(handle, 3);
  registry.add(handle, -1);
  registry.set(handle, 9);
  EXPECT_TRUE(shows(R"(calls_total{model="m"} 3)")) << registry.text();
  EXPECT_TRUE(shows("# TYPE calls_total counter"));
  EXPECT_TRUE(shows("# HELP calls_total help"));
}

TEST_F(MetricsTest, GaugesGoBothWays) {
  const std::uint64_t handle = *registry.define(gauge("live"));
  registry.add(handle, 3);
  registry.add(handle, -5);
  EXPECT_TRUE(shows("live -2"));
  registry.set(handle, 7);
  EXPECT_TRUE(shows("live 7"));
}

TEST_F(MetricsTest, HistogramsAreDivided) {
  Definition definition = histogram("call_seconds", {1'000'000, 500'000'000});
  definition.denominator = 1'000'000'000;
  const std::uint64_t handle = *registry.define(definition);
  registry.add(handle, 1'000'000);
  registry.add(handle, 2'000'000);
  registry.add(handle, 3'000'000'000);
  EXPECT_TRUE(shows(R"(call_seconds_bucket{le="0.001"} 1)")) << registry.text();
  EXPECT_TRUE(shows(R"(call_seconds_bucket{le="0.5"} 2)"));
  EXPECT_TRUE(shows(R"(call_seconds_bucket{le="+Inf"} 3)"));
  EXPECT_TRUE(shows("call_seconds_count 3"));
}

TEST_F(MetricsTest, AValueOnABoundIsBelowIt) {
  const std::uint64_t handle = *registry.define(histogram("h", {0, 10}));
  for (const std::int64_t value : {-1, 0, 1, 10, 11}) registry.add(handle, value);
  EXPECT_TRUE(shows(R"(h_bucket{le="0"} 2)")) << registry.text();
  EXPECT_TRUE(shows(R"(h_bucket{le="10"} 4)"));
  EXPECT_TRUE(shows(R"(h_bucket{le="+Inf"} 5)"));
  EXPECT_TRUE(shows("h_sum 21"));
  EXPECT_TRUE(shows("h_count 5"));
}

TEST_F(MetricsTest, ObservedValuesAreReadWhenExported) {
  std::int64_t value = 5;
  Definition definition = gauge("seconds");
  definition.denominator = 10;
  ASSERT_TRUE(registry.observe(definition, [&] { return value; }));
  EXPECT_TRUE(shows("seconds 0.5")) << registry.text();
  value = 7;
  EXPECT_TRUE(shows("seconds 0.7"));
  ASSERT_TRUE(registry.observe(definition, [] { return 9; }));
  EXPECT_TRUE(shows("seconds 0.9"));
  EXPECT_FALSE(registry.observe(counter("seconds"), [] { return 1; })) << "another kind";
}

TEST_F(MetricsTest, ThreadsAddUpToOneValue) {
  const std::uint64_t count = *registry.define(counter("a_total"));
  const std::uint64_t live = *registry.define(gauge("live"));
  const std::uint64_t sizes = *registry.define(histogram("h", {1}));
  std::vector<std::thread> threads;
  for (int i = 0; i < 40; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 100; ++n) registry.add(count, 1);
      registry.add(live, i % 2 == 0 ? 3 : -3);
      registry.add(sizes, 2);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(shows("a_total 4000")) << registry.text();
  EXPECT_TRUE(shows("live 0"));
  EXPECT_TRUE(shows("h_sum 80"));
  registry.set(live, 4);
  EXPECT_TRUE(shows("live 4"));
}

TEST_F(MetricsTest, TheSameSeriesHasTheSameHandle) {
  const auto first = registry.define(counter("a_total", {{"x", "1"}, {"y", "2"}}));
  EXPECT_EQ(*registry.define(counter("a_total", {{"x", "1"}, {"y", "2"}})), *first);
  EXPECT_EQ(*registry.define(counter("a_total", {{"y", "2"}, {"x", "1"}})), *first);
  EXPECT_NE(*registry.define(counter("a_total", {{"x", "1"}})), *first);
  // Values come from outside and may look like the border between two labels.
  const std::string border = std::string("1\ny") + '\0' + "2";
  EXPECT_NE(*registry.define(counter("a_total", {{"x", border}})), *first);
}

TEST_F(MetricsTest, LabelValuesAreEscaped) {
  registry.add(*registry.define(counter("a_total", {{"x", "a\"b\\c\nd"}})), 1);
  EXPECT_TRUE(shows(R"(a_total{x="a\"b\\c\nd"} 1)")) << registry.text();
}

TEST_F(MetricsTest, BadDefinitionsAreRefused) {
  ASSERT_TRUE(registry.define(counter("taken")));
  Definition half = counter("half");
  half.denominator = 0;
  Definition unknown = counter("unknown");
  unknown.kind = 9;
  const std::vector<Definition> bad = {counter(""),
                                       counter("Upper"),
                                       counter("9lives"),
                                       counter("a-b"),
                                       counter("a b"),
                                       counter(std::string(121, 'a')),
                                       half,
                                       unknown,
                                       gauge("taken"),
                                       counter("a_total", {{"", "1"}}),
                                       counter("a_total", {{"bad-name", "1"}}),
                                       counter("a_total", {{"__own", "1"}}),
                                       counter("a_total", {{"x", "1"}, {"x", "2"}}),
                                       histogram("h", {2, 1}),
                                       histogram("h", {1, 1})};
  for (const Definition& definition : bad) {
    const auto handle = registry.define(definition);
    EXPECT_TRUE(!handle && handle.error().code == Code::kInvalidArgument) << definition.name;
  }
  EXPECT_TRUE(registry.define(counter("unknown"))) << "a refusal leaves nothing behind";
  EXPECT_TRUE(registry.define(histogram("h", {1, 2})));
  Definition le = histogram("h2", {1});
  le.labels = {{"le", "1"}};
  EXPECT_FALSE(registry.define(le)) << "a histogram has its own le";
}

TEST_F(MetricsTest, HandlesNobodyGaveDoNothing) {
  registry.add(0, 1);
  registry.set(UINT64_MAX, 1);
  EXPECT_EQ(registry.text(), "");
}

TEST_F(MetricsTest, SeriesAreBounded) {
  for (std::size_t i = 0; i < MetricsRegistry::kSeriesMax; ++i) {
    ASSERT_TRUE(registry.define(counter("a_total", {{"x", std::to_string(i)}})));
  }
  const auto more = registry.define(counter("a_total", {{"x", "more"}}));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(registry.define(counter("a_total", {{"x", "0"}}))) << "one that exists";
}

TEST_F(MetricsTest, ATableIsTheSame) {
  const bp_metrics& table = *registry.table();
  const bp_pair label{str("x"), str("1")};
  const std::int64_t bounds[] = {1, 2};
  bp_metric_options options{};
  options.struct_size = sizeof(options);
  options.kind = BP_METRIC_HISTOGRAM;
  options.name = str("h");
  options.labels = &label;
  options.label_count = 1;
  options.denominator = 1;
  options.bounds = bounds;
  options.bound_count = 2;
  std::uint64_t handle = 77;
  ASSERT_EQ(table.define(table.context, &options, &handle, nullptr), BP_CODE_OK);
  table.add(table.context, handle, 2);
  EXPECT_TRUE(shows(R"(h_bucket{x="1",le="2"} 1)")) << registry.text();
  options.name = str("Bad");
  bp_error error{};
  EXPECT_EQ(table.define(table.context, &options, &handle, &error), BP_CODE_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.message).find("Bad"), std::string::npos);
}

TEST_F(MetricsTest, ThreadsAddWhileSeriesAreMade) {
  const std::uint64_t handle = *registry.define(counter("a_total"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) registry.add(handle, 1);
    });
  }
  for (std::size_t i = 0; i < 200; ++i)
    (void)registry.define(gauge("g_" + std::string(1 + i % 20, 'a')));
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(shows("a_total 4000")) << registry.text();
}

}  // namespace
}  // namespace backplane::test
