// SPDX-License-Identifier: Apache-2.0
// BP_HAS is the only way to ask for a field: it must hold for tables shorter and longer than ours.
#include <backplane/backend.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace {

void drain(void*, std::int64_t) {}

TEST(BpHas, ComparesTheSizeAndTheValue) {
  bp_backend table{};
  table.drain = &drain;
  const auto end = static_cast<std::uint32_t>(offsetof(bp_backend, drain) + sizeof(table.drain));
  struct Row {
    std::uint32_t struct_size;
    bool expected;
  };
  for (const Row& row : {Row{0, false}, Row{end - 1, false}, Row{end, true},
                         Row{sizeof(bp_backend), true}, Row{UINT32_MAX, true}}) {
    table.struct_size = row.struct_size;
    EXPECT_EQ(BP_HAS(&table, drain), row.expected) << row.struct_size;
  }
}

TEST(BpHas, IsFalseForNull) {
  const bp_backend* none = nullptr;
  EXPECT_FALSE(BP_HAS(none, drain));
  const bp_backend table{
      sizeof(bp_backend), 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  EXPECT_FALSE(BP_HAS(&table, drain));
}

}  // namespace
