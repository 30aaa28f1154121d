// SPDX-License-Identifier: Apache-2.0
// The conformance check behind `backplane plugin check`: what an author runs before anybody else
// runs the plugin. Nothing of the plugin is executed in the calling process.
#pragma once

#include "runtime/plugin/check/probe.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane {

struct CheckOptions {
  std::string settings;  // JSON object for create; empty: the defaults of the schema
  std::string only;      // run tests whose name contains this
  std::chrono::milliseconds timeout{10'000};  // of each test
};

struct CheckedTest {
  std::string name;
  Finding finding;
};

struct CheckReport {
  std::string file;
  std::vector<CheckedTest> tests;

  std::size_t count(Outcome outcome) const;
  bool passed() const { return count(Outcome::kFailed) == 0; }
};

// Forks for every test: the caller must be the only thread of its process.
CheckReport check_plugin(const std::filesystem::path& file, const CheckOptions& options);

std::string tap_of(const CheckReport& report);   // Test Anything Protocol 13, and a summary
std::string json_of(const CheckReport& report);  // {"file", "passed", "tests": [{"name", ...}]}

}  // namespace backplane
