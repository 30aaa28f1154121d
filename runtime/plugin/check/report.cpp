// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/check.hpp"

#include <boost/json.hpp>

namespace backplane {
namespace {

const char* word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kSkipped:
      return "skipped";
  }
  return "";
}

}  // namespace

std::string tap_of(const CheckReport& report) {
  std::string text = "TAP version 13\n1.." + std::to_string(report.tests.size()) + "\n";
  std::size_t number = 0;
  for (const CheckedTest& test : report.tests) {
    const Finding& finding = test.finding;
    text += finding.outcome == Outcome::kFailed ? "not ok " : "ok ";
    text += std::to_string(++number) + " - " + test.name;
    if (finding.outcome == Outcome::kSkipped) text += " # SKIP " + finding.reason;
    text += "\n";
    if (finding.outcome == Outcome::kFailed) text += "# " + finding.reason + "\n";
  }
  return text + "# " + report.file + ": " + std::to_string(report.count(Outcome::kPassed)) +
         " passed, " + std::to_string(report.count(Outcome::kFailed)) + " failed, " +
         std::to_string(report.count(Outcome::kSkipped)) + " skipped\n";
}

std::string json_of(const CheckReport& report) {
  boost::json::array tests;
  for (const CheckedTest& test : report.tests) {
    boost::json::object entry{{"name", test.name}, {"outcome", word_of(test.finding.outcome)}};
    if (!test.finding.reason.empty()) entry["reason"] = test.finding.reason;
    tests.push_back(std::move(entry));
  }
  return boost::json::serialize(boost::json::object{
             {"file", report.file}, {"passed", report.passed()}, {"tests", std::move(tests)}}) +
         "\n";
}

}  // namespace backplane
