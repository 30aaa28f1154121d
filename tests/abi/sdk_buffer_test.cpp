// SPDX-License-Identifier: Apache-2.0
#include <backplane/plugin.hpp>

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(MakeBuffer, HasZeroedPaddingBehindItsText) {
  const bp_buffer buffer = make_buffer("text");
  EXPECT_EQ(view(buffer), "text");
  ASSERT_EQ(buffer.padding, 64U);
  for (std::uint32_t i = 0; i < buffer.padding; ++i) EXPECT_EQ(buffer.data[buffer.size + i], '\0');
  buffer.release(buffer.owner);
}

TEST(MakeBuffer, LivesUntilItsLastRelease) {
  const bp_buffer buffer = make_buffer(std::string(1000, 'x'));
  buffer.retain(buffer.owner);
  buffer.release(buffer.owner);
  EXPECT_EQ(view(buffer), std::string(1000, 'x'));
  buffer.release(buffer.owner);
}

struct Counted {
  int count = 1;
  bp_buffer buffer() {
    return {"abc",
            3,
            BP_MEMORY_HOST,
            0,
            this,
            [](void* self) { ++static_cast<Counted*>(self)->count; },
            [](void* self) { --static_cast<Counted*>(self)->count; }};
  }
};

TEST(BufferRef, HoldsOneCount) {
  Counted counted;
  {
    const BufferRef held(counted.buffer());
    EXPECT_EQ(counted.count, 2);
    EXPECT_EQ(held.text(), "abc");
  }
  EXPECT_EQ(counted.count, 1);
  { const BufferRef adopted = BufferRef::adopt(counted.buffer()); }
  EXPECT_EQ(counted.count, 0);
}

TEST(BufferRef, MovesItsCount) {
  Counted counted;
  Counted other;
  {
    BufferRef first(counted.buffer());
    BufferRef second(std::move(first));
    EXPECT_EQ(counted.count, 2);
    second = BufferRef(other.buffer());
    EXPECT_EQ(other.count, 2);
  }
  EXPECT_EQ(counted.count, 1);
  EXPECT_EQ(other.count, 1);
}

TEST(View, IsEmptyForSizeZeroWhateverTheData) {
  EXPECT_TRUE(view(bp_str{nullptr, 0}).empty());
  EXPECT_TRUE(view(bp_buffer{}).empty());
  EXPECT_EQ(view(str("x")), "x");
}

}  // namespace
}  // namespace backplane
