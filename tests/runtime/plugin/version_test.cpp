// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/version.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace backplane {
namespace {

using RangeCase = std::tuple<const char*, const char*, bool>;
class RangeTest : public testing::TestWithParam<RangeCase> {};

TEST_P(RangeTest, AcceptsWhatTheRangeSays) {
  const auto& [uses, version, expected] = GetParam();
  const Result<PluginReference> reference = parse_reference(uses);
  ASSERT_TRUE(reference) << reference.error().message;
  EXPECT_EQ(reference->name, "echo");
  EXPECT_EQ(reference->accepts(*parse_version(version)), expected) << uses << " " << version;
}

INSTANTIATE_TEST_SUITE_P(
    Ranges, RangeTest,
    testing::Values(RangeCase{"echo", "0.0.1", true}, RangeCase{"echo@>=1.2", "1.2.0", true},
                    RangeCase{"echo@>=1.2", "1.1.9", false}, RangeCase{"echo@>1.2", "1.2.0", false},
                    RangeCase{"echo@>1.2", "1.2.1", true}, RangeCase{"echo@<=2", "2.0.0", true},
                    RangeCase{"echo@<=2", "2.0.1", false}, RangeCase{"echo@<2", "1.99.99", true},
                    RangeCase{"echo@<2", "2.0.0", false}, RangeCase{"echo@=1.2", "1.2.7", true},
                    RangeCase{"echo@=1.2", "1.3.0", false},
                    RangeCase{"echo@=1.2.3", "1.2.4", false},
                    RangeCase{"echo@>=1.2,<2", "1.10.0", true},
                    RangeCase{"echo@>=1.2, <2", "2.1.0", false}));

class BadReferenceTest : public testing::TestWithParam<std::string> {};

TEST_P(BadReferenceTest, IsRefusedWithTheText) {
  const Result<PluginReference> reference = parse_reference(GetParam());
  ASSERT_FALSE(reference);
  EXPECT_EQ(reference.error().code, Code::kInvalidArgument);
  EXPECT_NE(reference.error().message.find("found \"" + GetParam().substr(0, 256)),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Bad, BadReferenceTest,
                         testing::Values("", "@>=1", "echo@", "echo@1.2", "echo@>=", "echo@>=1.2,",
                                         "echo@>=x", "echo@>=1.2.3.4", "echo@~1.2",
                                         "echo@>=99999999999", "echo@>=1..2",
                                         std::string(300, 'a')));

TEST(ParseVersion, TakesThreePartsOnly) {
  EXPECT_EQ(parse_version("1.20.300"), (Version{1, 20, 300}));
  for (const char* bad : {"", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.3-rc1", "-1.2.3", " 1.2.3"}) {
    EXPECT_FALSE(parse_version(bad)) << bad;
  }
}

}  // namespace
}  // namespace backplane
