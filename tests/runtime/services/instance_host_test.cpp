// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/instance_host.hpp"

#include "runtime/services/key_value_store.hpp"
#include "runtime/services/logger.hpp"
#include "tests/runtime/services/manual_clock.hpp"

#include <gtest/gtest.h>

#include <backplane/plugin.hpp>
#include <map>

namespace backplane::test {
namespace {

class MapOfSecrets final : public SecretSource {
 public:
  const std::string* find(std::string_view reference) const override {
    const auto found = values.find(reference);
    return found == values.end() ? nullptr : &found->second;
  }
  std::map<std::string, std::string, std::less<>> values;
};

class InstanceHostTest : public testing::Test {
 protected:
  InstanceHostTest() {
    secrets.values = {{"secret:backends.a.api_key", "sk-a"},
                      {"secret:backends.ab.api_key", "sk-ab"},
                      {"secret:backends.a", "odd"}};
    shared.clock = &clock.table();
    shared.logger = &logger;
    shared.store = &store;
    shared.secrets = &secrets;
  }
  template <class Table>
  static const Table& find(const InstanceHost& host, const char* id) {
    const auto* table = Host(host.table()).find<Table>(id);
    EXPECT_NE(table, nullptr) << id;
    return *table;
  }
  static std::string secret(const InstanceHost& host, std::string_view reference) {
    const auto& table = find<bp_secrets>(host, BP_SECRETS_ID);
    bp_buffer out{};
    bp_error error{};
    const std::uint32_t code = table.get(table.context, str(reference), &out, &error);
    if (code != BP_CODE_OK) {
      EXPECT_EQ(code, BP_CODE_NOT_FOUND);
      EXPECT_EQ(out.data, nullptr) << "an output was touched";
      EXPECT_EQ(std::string(error.message).find("secret:"), std::string::npos);
      return "(none)";
    }
    return std::string(BufferRef::adopt(out).text());
  }
  static std::uint32_t put(const InstanceHost& host, std::string_view key, std::string_view value) {
    const auto& table = find<bp_kv>(host, BP_KV_ID);
    return table.put_if_absent(table.context, str(key), str(value), 0, nullptr);
  }
  static std::string get(const InstanceHost& host, std::string_view key) {
    const auto& table = find<bp_kv>(host, BP_KV_ID);
    bp_buffer out{};
    if (table.get(table.context, str(key), &out, nullptr) != BP_CODE_OK) return "(none)";
    return std::string(BufferRef::adopt(out).text());
  }
  ManualClock clock;
  KeyValueStore store{clock.table(), {}};
  Logger logger{LogLevel::kInfo, LogFormat::kText};
  MapOfSecrets secrets;
  SharedServices shared;
};

TEST_F(InstanceHostTest, OffersWhatIsThere) {
  const InstanceHost host("backends.a", shared);
  const Host seen(host.table());
  EXPECT_EQ(host.table()->struct_size, sizeof(bp_host));
  EXPECT_EQ(host.table()->abi_major, static_cast<std::uint32_t>(BP_ABI_MAJOR));
  EXPECT_GT(host.table()->version.size, 0U);
  EXPECT_EQ(seen.find<bp_clock>(BP_CLOCK_ID), &clock.table());
  for (const char* id : {BP_LOG_ID, BP_KV_ID, BP_SECRETS_ID}) {
    EXPECT_NE(seen.find<void>(id), nullptr) << id;
  }
  for (const char* id : {BP_LOOP_ID, BP_NET_ID, BP_HTTP_ID, BP_METRICS_ID, BP_GATEWAY_ID,
                         "bp.log/2", "bp.log", "", "com.acme.foo/1"}) {
    EXPECT_EQ(seen.find<void>(id), nullptr) << id;
  }
  const InstanceHost bare("backends.a", {});
  for (const char* id : {BP_LOG_ID, BP_KV_ID, BP_SECRETS_ID, BP_CLOCK_ID}) {
    EXPECT_EQ(Host(bare.table()).find<void>(id), nullptr) << id;
  }
}

TEST_F(InstanceHostTest, SecretsAreThoseOfItsOwnPath) {
  const InstanceHost a("backends.a", shared);
  const InstanceHost b("backends.ab", shared);
  EXPECT_EQ(secret(a, "secret:backends.a.api_key"), "sk-a");
  EXPECT_EQ(secret(b, "secret:backends.ab.api_key"), "sk-ab");
  EXPECT_EQ(secret(a, "secret:backends.ab.api_key"), "(none)");
  EXPECT_EQ(secret(b, "secret:backends.a.api_key"), "(none)");
  EXPECT_EQ(secret(a, "secret:backends.a"), "(none)");
  EXPECT_EQ(secret(a, "secret:backends.a.other"), "(none)");
  EXPECT_EQ(secret(a, ""), "(none)");
}

TEST_F(InstanceHostTest, ASecretIsACopyThatOutlivesItsSource) {
  const InstanceHost a("backends.a", shared);
  const auto& table = find<bp_secrets>(a, BP_SECRETS_ID);
  bp_buffer out{};
  ASSERT_EQ(table.get(table.context, str("secret:backends.a.api_key"), &out, nullptr), BP_CODE_OK);
  secrets.values.clear();
  out.retain(out.owner);
  out.release(out.owner);
  EXPECT_EQ(view(out), "sk-a") << "one count is left";
  out.release(out.owner);
}

TEST_F(InstanceHostTest, KeysArePrivate) {
  const InstanceHost a("payments.a", shared);
  const InstanceHost b("payments.b", shared);
  EXPECT_EQ(put(a, "nonce", "1"), BP_CODE_OK);
  EXPECT_EQ(get(b, "nonce"), "(none)");
  EXPECT_EQ(put(b, "nonce", "2"), BP_CODE_OK);
  EXPECT_EQ(get(a, "nonce"), "1");
  const auto& table = find<bp_kv>(b, BP_KV_ID);
  EXPECT_EQ(table.compare_and_swap(table.context, str("nonce"), str("2"), {}, 0, nullptr),
            BP_CODE_OK);
  EXPECT_EQ(get(a, "nonce"), "1");
}

TEST_F(InstanceHostTest, AKeyMayBeAsLongAsTheInterfaceSays) {
  const InstanceHost a("payments.a", shared);
  const std::string longest(512, 'k');
  EXPECT_EQ(put(a, longest, "1"), BP_CODE_OK);
  EXPECT_EQ(get(a, longest), "1");
  EXPECT_EQ(put(a, longest + 'k', "1"), BP_CODE_INVALID_ARGUMENT);
  EXPECT_EQ(put(a, "", "1"), BP_CODE_INVALID_ARGUMENT);
}

TEST_F(InstanceHostTest, LogLinesCarryItsName) {
  const InstanceHost a("backends.a", shared);
  const auto& table = find<bp_log>(a, BP_LOG_ID);
  EXPECT_EQ(table.enabled(table.context, BP_LOG_DEBUG), 0U);
  EXPECT_EQ(table.enabled(table.context, BP_LOG_WARN), 1U);
  EXPECT_EQ(table.enabled(table.context, 99), 1U);
  const bp_pair field{str("status"), str("503")};
  testing::internal::CaptureStderr();
  table.write(table.context, BP_LOG_DEBUG, {}, str("quiet"), nullptr, 0);
  table.write(table.context, BP_LOG_WARN, str("r1"), str("slow"), &field, 1);
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(line.substr(25), "warn backends.a: slow request_id=\"r1\" status=\"503\"\n") << line;
}

}  // namespace
}  // namespace backplane::test
