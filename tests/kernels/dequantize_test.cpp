// SPDX-License-Identifier: Apache-2.0
#include "kernels/dequantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "tests/kernels/recorded_rows.hpp"

namespace backplane::kernels {
namespace {

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(Dequantize, ReadsWhatTheReferenceWrote) {
  for (const RecordedRow& row : kRecordedRows) {
    const auto bytes = from_hex(row.bytes);
    const auto raw = from_hex(row.floats);
    std::vector<float> expected(raw.size() / sizeof(float));
    std::memcpy(expected.data(), raw.data(), raw.size());
    ASSERT_EQ(bytes.size(), row_bytes(row.type, expected.size()));
    std::vector<float> actual(expected.size(), NAN);
    dequantize_row(row.type, bytes.data(), actual);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      // The reference may fuse a multiplication and an addition.
      ASSERT_NEAR(actual[i], expected[i], 2e-7f)
          << layout_of(row.type).name << " weight " << i << ": " << row.bytes;
    }
  }
}

TEST(Dequantize, EveryTypeIsRecorded) {
  for (const Type type : kTypes) {
    bool found = type == Type::kF32;
    for (const RecordedRow& row : kRecordedRows) found = found || row.type == type;
    EXPECT_TRUE(found) << layout_of(type).name;
  }
}

TEST(Dequantize, TakesBlocksFromAnUnalignedPlace) {
  for (const RecordedRow& row : kRecordedRows) {
    const auto bytes = from_hex(row.bytes);
    std::vector<std::byte> moved(bytes.size() + 1);
    std::copy(bytes.begin(), bytes.end(), moved.begin() + 1);
    const std::size_t weights =
        bytes.size() / layout_of(row.type).block_bytes * layout_of(row.type).block_weights;
    std::vector<float> expected(weights), actual(weights);
    dequantize_row(row.type, bytes.data(), expected);
    dequantize_row(row.type, moved.data() + 1, actual);
    EXPECT_EQ(actual, expected) << layout_of(row.type).name;
  }
}

}  // namespace
}  // namespace backplane::kernels
