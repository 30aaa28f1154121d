// SPDX-License-Identifier: Apache-2.0
// Commands of the C++ SDK: a function becomes a bp_command, and nothing it throws crosses.
#include <backplane/command.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace backplane {
namespace {

class Quiet final : public Backend {
 public:
  static Result<std::unique_ptr<Quiet>> create(Host, const InstanceOptions&) {
    return std::make_unique<Quiet>();
  }
  Result<Call*> submit(const bp_request&, const bp_sink&) override {
    return invalid_argument("quiet");
  }
  std::string describe() override { return "{}"; }
};

std::vector<std::string> seen;

std::uint32_t remember(Host host, const std::vector<std::string>& arguments) {
  seen = arguments;
  return host.find<bp_log>(BP_LOG_ID) == nullptr ? 2 : 0;
}
std::uint32_t throw_text(Host, const std::vector<std::string>&) {
  throw std::runtime_error("no luck");
}

constexpr char kSchema[] = "{}";
constexpr bp_command kCommands[] = {command<&remember>("remember", "Keep the words"),
                                    command<&throw_text>("throw", "Fail")};

}  // namespace
}  // namespace backplane

#define BP_PLUGIN_NAME "quiet"
#define BP_PLUGIN_VERSION "1.0.0"
BP_EXPORT_BACKEND_WITH_COMMANDS(backplane::Quiet, backplane::kSchema, backplane::kCommands);

namespace backplane {
namespace {

const void* no_interface(const bp_host*, bp_str) {
  return nullptr;
}
constexpr bp_host kHost{sizeof(bp_host), BP_ABI_MAJOR, BP_ABI_MINOR, 0,
                        {"test", 4},     nullptr,      &no_interface};

const bp_plugin& plugin() {
  const bp_plugin* out = nullptr;
  EXPECT_EQ(bp_plugin_entry_v0(&kHost, &out, nullptr), BP_CODE_OK);
  return *out;
}

TEST(SdkCommands, StandBesideTheKindsTable) {
  const auto& get_interface = plugin().get_interface;
  EXPECT_EQ(get_interface(str(BP_BACKEND_ID)), &sdk::BackendTable<Quiet>::kTable);
  EXPECT_EQ(get_interface(str("bp.commands/2")), nullptr);
  const auto* table = static_cast<const bp_commands*>(get_interface(str(BP_COMMANDS_ID)));
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->struct_size, sizeof(bp_commands));
  ASSERT_EQ(table->command_count, 2U);
  EXPECT_EQ(table->commands[0].struct_size, sizeof(bp_command));
  EXPECT_EQ(view(table->commands[0].name), "remember");
  EXPECT_EQ(view(table->commands[1].about), "Fail");
}

TEST(SdkCommands, GetTheirArgumentsAndTellTheirStatus) {
  const bp_str arguments[] = {str("one"), str(""), str("two words")};
  EXPECT_EQ(kCommands[0].run(&kHost, arguments, 3), 2U);
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "", "two words"}));
  EXPECT_EQ(kCommands[0].run(&kHost, nullptr, 0), 2U);
  EXPECT_TRUE(seen.empty());
}

TEST(SdkCommands, AnExceptionIsAMessageAndStatusOne) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(kCommands[1].run(&kHost, nullptr, 0), 1U);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "backplane: unexpected: no luck\n");
}

}  // namespace
}  // namespace backplane
