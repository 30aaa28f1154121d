// SPDX-License-Identifier: Apache-2.0
// What the conformance check finds: each broken plugin fails the test made for it, with the message
// that names its fault, and nothing it does ends the check.
#include "runtime/plugin/check/check.hpp"

#include "runtime/plugin/commands.hpp"
#include "tests/runtime/plugin/plugin_folder.hpp"

#include <gtest/gtest.h>

namespace backplane {
namespace {

using std::chrono::milliseconds;

const std::filesystem::path kBroken = BROKEN_PLUGINS;

std::string text_of(const CheckReport& report) {
  return tap_of(report);
}

struct CheckCase {
  const char* name;
  const char* test;  // the one that must fail
  const char* reason;
  milliseconds timeout{10'000};
};
void PrintTo(const CheckCase& one, std::ostream* out) {
  *out << one.name;
}
class CheckTestCorpus : public testing::TestWithParam<CheckCase> {};

TEST_P(CheckTestCorpus, FailsWithItsReason) {
  const CheckCase& expected = GetParam();
  const std::filesystem::path file = kBroken / (std::string(expected.name) + ".so");
  const CheckReport report = check_plugin(file, {{}, expected.test, expected.timeout});
  ASSERT_FALSE(report.tests.empty()) << text_of(report);
  EXPECT_EQ(report.tests.back().name, expected.test) << text_of(report);
  EXPECT_EQ(report.tests.back().finding.outcome, Outcome::kFailed) << text_of(report);
  std::string reason = expected.reason;
  if (reason.rfind("FILE", 0) == 0) reason.replace(0, 4, file.string());
  EXPECT_EQ(report.tests.back().finding.reason, reason);
}

constexpr milliseconds kShort{2000};

constexpr CheckCase kCases[] = {
    {"schema_not_json", "schema", "schema: not JSON: incomplete JSON"},
    {"schema_unknown_keyword", "schema",
     "schema: /properties/size: keyword \"typ\" is not supported"},
    {"command_without_about", "commands",
     "FILE: bp.commands/1 says nothing about the command \"shout\"; give it one sentence on one "
     "line, at most 256 bytes"},
    {"create_crashes", "life.create", "crashed in create (SIGABRT)"},
    {"create_hangs", "life.create", "hung in create: no answer within 2 s", kShort},
    {"create_exits", "life.create",
     "ended the process in create (exit code 3); a plugin returns errors and never exits"},
    {"throws_in_create", "life.create",
     "let an exception cross the ABI (no luck); make its functions noexcept and return an error"},
    {"create_without_instance", "life.create",
     "create returned OK and no instance; let it set *out"},
    {"create_fails", "life.create",
     "create failed: the moon is wrong (settings {\"greeting\":\"hello\"})"},
    {"error_without_message", "life.create", "create failed without a message"},
    {"error_of_other_code", "life.create",
     "create returned code 14 and filled the error with code 15"},
    {"leaks_descriptor", "life.repeat_200_times",
     "leaves 199 file descriptors open after 200 instances; close them in destroy"},
    {"leaks_thread", "life.threads_joined",
     "leaves 1 threads running after stop; join them before stop returns", kShort},
    {"crashes_without_log", "life.missing_services", "crashed in start (SIGSEGV)"},
    {"bad_description", "life.describe",
     "describe: operations: expected an array of names such "
     "as chat.completions"},
    {"submit_crashes", "backend.stream", "crashed in submit (SIGABRT)"},
    {"submit_hangs", "backend.stream", "hung in submit: no answer within 2 s", kShort},
    {"call_without_functions", "backend.stream",
     "submit returned OK and no whole bp_call; fill every field of it"},
    {"fails_after_events", "backend.stream",
     "submit failed after it had emitted events; emit none"},
    {"double_end", "backend.stream",
     "a second terminal event (END) came after END; a call ends once"},
    {"no_end", "backend.stream",
     "no terminal event came within 1000 ms, after 26 events; end every call with END or ERROR",
     kShort},
    {"event_after_end", "backend.stream",
     "event TEXT came after the terminal event; emit nothing more"},
    {"sequence_gap", "backend.stream",
     "event TEXT has sequence 4, expected 3; number events 0, 1, 2 ... without a gap"},
    {"short_event", "backend.stream", "event 0 has struct_size 8; set it to sizeof(bp_event)"},
    {"short_usage", "backend.stream", "event USAGE carries no whole bp_usage"},
    {"null_event_bytes", "backend.stream", "event TEXT has 5 bytes at null"},
    {"wild_event_bytes", "backend.stream", "crashed in the bytes of event 0 (TEXT) (SIGSEGV)"},
    {"text_not_utf8", "backend.stream", "event TEXT is not UTF-8; keep characters whole"},
    {"reasoning_not_utf8", "backend.stream", "event REASONING is not UTF-8; keep characters whole"},
    {"logprobs_not_json", "backend.stream",
     "event TEXT has logprobs that are no JSON array of {\"token\", \"logprob\", ...}"},
    {"tool_call_empty", "backend.stream", "event TOOL_CALL carries no whole bp_tool_call"},
    {"tool_call_without_name", "backend.stream",
     "event TOOL_CALL of call 0 is its first and says no id or no name"},
    {"tool_call_again", "backend.stream",
     "event TOOL_CALL of call 0 says id or name again; leave them empty after its first piece"},
    {"tool_call_skips", "backend.stream",
     "event TOOL_CALL of call 1 came after 0 calls; number them 0, 1 ... within a choice"},
    {"receipt_not_json", "backend.stream", "event RECEIPT is no JSON object"},
    {"receipt_again", "backend.stream", "a second event RECEIPT came; a call has one"},
    {"leaks_body", "backend.stream",
     "holds the request's body 1 times after release; release what was retained"},
    {"ignores_stop", "backend.stop",
     "more than 8 events came after STOP (max_overrun); end the call (answered STOP to event 0)"},
    {"ignores_pause", "backend.pause",
     "more than 8 events came after PAUSE (max_overrun); wait for resume (answered PAUSE to event "
     "0)"},
    {"ignores_resume", "backend.pause",
     "no terminal event came within 1000 ms, after 1 events; end every call with END or ERROR "
     "(answered PAUSE to event 0)",
     kShort},
    {"ignores_cancel", "backend.cancel",
     "no terminal event came within 1000 ms of cancel, after 1 events; end every call with END or "
     "ERROR (answered PAUSE to event 0)",
     kShort},
    {"cancel_of_other_code", "backend.cancel",
     "a cancelled call ended with code 13, expected CANCELLED (1)"},
    {"crashes_on_garbage", "backend.garbage", "crashed in submit (SIGABRT)"},
    {"serves_anything", "backend.unknown_operation",
     "served an operation that it does not describe; refuse it with UNIMPLEMENTED"},
};
INSTANTIATE_TEST_SUITE_P(Corpus, CheckTestCorpus, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

class SoundTest : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(SoundTest, PassesEveryTest) {
  const CheckReport report = check_plugin(GetParam(), {});
  EXPECT_TRUE(report.passed()) << text_of(report);
  EXPECT_GT(report.count(Outcome::kPassed), 8U) << text_of(report);
}

const std::filesystem::path kTree =
    std::filesystem::path(BACKPLANE_BINARY_DIR) / "lib/backplane/plugins";
INSTANTIATE_TEST_SUITE_P(Tree, SoundTest,
                         testing::Values(kBroken / "sound.so", kBroken / "greeter.so",
                                         kTree / "backends/echo.so", kTree / "transports/null.so",
                                         kTree / "payments/free.so"),
                         [](const auto& one) { return std::string(one.param.stem()); });

TEST(CheckPlugin, StopsAtAFileThatIsNoPlugin) {
  const CheckReport report = check_plugin(kBroken / "other_major.so", {});
  ASSERT_FALSE(report.tests.empty());
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.count(Outcome::kPassed), 3U) << text_of(report);  // format, exports, runpath
}

TEST(CheckPlugin, NamesWhatElseIsExported) {
  const CheckReport report = check_plugin(kBroken / "more_exports.so", {{}, "elf"});
  const std::string text = text_of(report);
  EXPECT_NE(text.find("not ok 3 - elf.exports"), std::string::npos) << text;
  for (const char* part : {"exports ", "extra_one", "extra_two",
                           " besides the entry symbol; link it with the version script of "
                           "bp_add_plugin"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(CheckPlugin, SkipsWhatNeedsSettingsOrAMissingService) {
  const auto reason_of = [](const char* name, const char* settings) {
    const std::filesystem::path file = kBroken / (std::string(name) + ".so");
    const CheckReport report = check_plugin(file, {settings, "backend.stream"});
    EXPECT_EQ(report.tests.size(), 1U) << text_of(report);
    return report.tests.back().finding.reason;
  };
  EXPECT_EQ(reason_of("settings_required", ""), "settings required: model");
  EXPECT_EQ(reason_of("settings_required", R"({"model": "m"})"), "");
  EXPECT_EQ(reason_of("needs_http", "").substr(0, 44),
            "needs bp.http/1, which the check does not of");
}

TEST(CheckPlugin, ReportsAsTapAndJson) {
  const CheckReport report{"x.so",
                           {{"load", {}},
                            {"a", {Outcome::kFailed, "it \"hung\""}},
                            {"b", {Outcome::kSkipped, "settings required: model"}}}};
  EXPECT_EQ(tap_of(report),
            "TAP version 13\n1..3\nok 1 - load\nnot ok 2 - a\n# it \"hung\"\n"
            "ok 3 - b # SKIP settings required: model\n# x.so: 1 passed, 1 failed, 1 skipped\n");
  EXPECT_EQ(json_of(report),
            R"({"file":"x.so","passed":false,"tests":[{"name":"load","outcome":"passed"},)"
            R"({"name":"a","outcome":"failed","reason":"it \"hung\""},)"
            R"({"name":"b","outcome":"skipped","reason":"settings required: model"}]})"
            "\n");
}

TEST(PluginCommands, ExitCodesTellApart) {
  EXPECT_EQ(check_plugin_file(kBroken / "sound.so", {{}, "life"}, false).exit_code, 0);
  EXPECT_EQ(check_plugin_file(kBroken / "no_entry.so", {}, true).exit_code, 1);
  EXPECT_EQ(check_plugin_file(kBroken / "nothing.so", {}, false).exit_code, 2);
  EXPECT_EQ(describe_plugin_file(kBroken / "nothing.so", false).exit_code, 2);
}

TEST(PluginCommands, ListAndInfoRunNoPluginCode) {
  PluginFolder folder;
  folder.copy(PluginKind::kBackend, kBroken / "throws_in_entry.so", "throws_in_entry");
  const CommandOutput list = list_plugins(PluginCatalog::discover({folder.path()}), false);
  const std::string path = folder.file(PluginKind::kBackend, "throws_in_entry.so").string();
  EXPECT_EQ(list.text,
            "KIND       NAME              VERSION   ABI   PATH\n"
            "backend    throws_in_entry   1.0.0     " +
                std::to_string(BP_ABI_MAJOR) + "." + std::to_string(BP_ABI_MINOR) + "   " + path +
                "\n");
  const CommandOutput info = describe_plugin_file(path, false);
  EXPECT_NE(info.text.find("entries           bp_plugin_entry_v0\n"), std::string::npos)
      << info.text;
  EXPECT_EQ(info.exit_code, 0);
}

TEST(PluginCommands, InfoAndListNameTheCommands) {
  const CommandOutput info = describe_plugin_file(kBroken / "command_without_run.so", false);
  EXPECT_NE(info.text.find("commands          greet, shout\n"), std::string::npos) << info.text;
  PluginFolder folder;
  folder.copy(PluginKind::kBackend, kBroken / "greeter.so", "greeter");
  const CommandOutput list = list_plugins(PluginCatalog::discover({folder.path()}), true);
  EXPECT_NE(list.text.find("\"commands\":[\"greet\"]"), std::string::npos) << list.text;
}

}  // namespace
}  // namespace backplane
