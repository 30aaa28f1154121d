// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "plugins/backends/local/files/safetensors_reader.hpp"
#include "tests/plugins/backends/local/hf_writer.hpp"

namespace backplane::local {
namespace {

Result<std::vector<FileTensor>> read(const std::string& bytes, ModelFile& keeper) {
  return read_safetensors("x.safetensors", std::as_bytes(std::span(bytes)), keeper);
}

std::string with_header(const std::string& header, std::size_t data_bytes = 16) {
  std::string out;
  append_number(out, static_cast<std::uint64_t>(header.size()));
  return out + header + std::string(data_bytes, '\1');
}

TEST(Safetensors, ReadsWhatWasWritten) {
  const std::string bytes = safetensors_bytes(
      {{"a", "F32", {2, 3}, std::string(24, 'a')}, {"b", "BF16", {4}, std::string(8, 'b')}});
  ModelFile keeper("x");
  const auto tensors = read(bytes, keeper);
  ASSERT_TRUE(tensors) << tensors.error().message;
  ASSERT_EQ(tensors->size(), 2u);
  EXPECT_EQ((*tensors)[0].name, "a");
  EXPECT_EQ((*tensors)[0].dimensions, (std::vector<std::uint64_t>{3, 2}));
  EXPECT_EQ((*tensors)[1].type, 30u);
  ASSERT_EQ((*tensors)[1].data.size(), 8u);
  EXPECT_EQ((*tensors)[1].data[7], std::byte{'b'});
}

struct BadFile {
  const char* name;
  std::string bytes;
  const char* expected;
};

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return with_header(R"({"t": {"dtype": ")" + dtype + R"(", "shape": )" + shape +
                     R"(, "data_offsets": )" + offsets + "}}");
}

const BadFile kBadFiles[] = {
    {"empty", "", "header: its data lies beyond the end"},
    {"length", std::string(8, '\xff'), "header: has 18446744073709551615 bytes"},
    {"truncated", with_header("{}", 0).substr(0, 9), "header: its data lies beyond the end"},
    {"no JSON", with_header("{"), "header: is not a JSON object"},
    {"deep JSON", with_header(std::string(100000, '[')), "header: is not a JSON object"},
    {"no fields", with_header(R"({"t": {}})"), "tensor t: has no dtype, shape and data_offsets"},
    {"type", tensor("F4", "[4]", "[0, 16]"), "tensor t: has dtype F4, which is not supported"},
    {"dimensions", tensor("F32", "[1, 1, 1, 1, 4]", "[0, 16]"), "has 5 dimensions"},
    {"zero", tensor("F32", "[0]", "[0, 0]"), "impossible shape"},
    {"negative", tensor("F32", "[-4]", "[0, 16]"), "impossible shape"},
    {"overflow", tensor("F32", "[4294967296, 4294967296, 4294967296]", "[0, 16]"),
     "impossible shape"},
    {"size", tensor("F32", "[3]", "[0, 16]"), "has 16 bytes, its shape needs 12"},
    {"beyond", tensor("F32", "[5]", "[0, 20]"), "its data lies beyond the end"},
    {"order", tensor("F32", "[4]", "[16, 0]"), "impossible data_offsets"},
    {"offsets", tensor("F32", "[4]", "[0]"), "has no two data_offsets"},
    {"overlap", with_header(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                     "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})"),
     "tensor b: its data is also another tensor's"},
};

TEST(Safetensors, BadFilesAreRefusedWithPlaceAndRemedy) {
  for (const BadFile& bad : kBadFiles) {
    ModelFile keeper("x");
    const auto tensors = read(bad.bytes, keeper);
    ASSERT_FALSE(tensors) << bad.name;
    EXPECT_NE(tensors.error().message.find(bad.expected), std::string::npos)
        << bad.name << ": " << tensors.error().message;
    EXPECT_TRUE(tensors.error().message.starts_with("x.safetensors: "));
  }
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string bytes = safetensors_bytes({{"a", "F32", {2, 3}, std::string(24, 'a')}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ModelFile keeper("x");
    EXPECT_FALSE(read(bytes.substr(0, size), keeper)) << size;
  }
}

}  // namespace
}  // namespace backplane::local
