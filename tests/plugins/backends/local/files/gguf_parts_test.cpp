// SPDX-License-Identifier: Apache-2.0
// A model cut into several GGUF files is the same as in one.
#include <gtest/gtest.h>
#include <unistd.h>

#include "plugins/backends/local/files/model_file.hpp"
#include "tests/plugins/backends/local/gguf_writer.hpp"

namespace backplane::local {
namespace {

constexpr std::uint32_t kParts = 3;

std::string part_name(std::uint32_t index, std::uint32_t count = kParts) {
  return "cut-0000" + std::to_string(index + 1) + "-of-0000" + std::to_string(count) + ".gguf";
}

GgufWriter part(std::uint32_t index) {
  GgufWriter writer;
  if (index == 0) writer.add_text("general.architecture", "llama");
  writer.add_unsigned("split.no", index);
  writer.add_unsigned("split.count", kParts);
  writer.add_unsigned("split.tensors.count", 2 * kParts);
  for (const char* kind : {"a", "b"}) {
    writer.add_tensor(kind + std::to_string(index), 0, {8},
                      std::string(32, static_cast<char>('0' + index)));
  }
  return writer;
}

std::string save_parts() {
  for (std::uint32_t i = 1; i < kParts; ++i) part(i).save(part_name(i));
  return part(0).save(part_name(0));
}

TEST(GgufParts, AreOneModel) {
  const auto file = ModelFile::open(save_parts());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->tensors().size(), 2 * kParts);
  for (std::uint32_t i = 0; i < kParts; ++i) {
    const FileTensor* tensor = file->tensor("b" + std::to_string(i));
    ASSERT_NE(tensor, nullptr);
    ASSERT_EQ(tensor->data.size(), 32u);
    EXPECT_EQ(tensor->data[31], static_cast<std::byte>('0' + i));
  }
  EXPECT_EQ(file->text("general.architecture")->value(), "llama");
  EXPECT_EQ(file->find("split.count"), nullptr);
}

void expect_refused(const std::string& path, const std::string& expected) {
  const auto file = ModelFile::open(path);
  ASSERT_FALSE(file) << expected;
  EXPECT_NE(file.error().message.find(expected), std::string::npos) << file.error().message;
}

TEST(GgufParts, AMissingPartIsNamed) {
  const std::string first = save_parts();
  const std::string missing = GgufWriter().save(part_name(1));
  ::unlink(missing.c_str());
  expect_refused(first, missing + ": part 2 of 3 is missing");
}

TEST(GgufParts, OtherThanTheFirstSaysWhatToName) {
  save_parts();
  expect_refused(part(1).save(part_name(1)), "name the file \"...-00001-of-00003.gguf\"");
}

TEST(GgufParts, WhatDoesNotFitTogetherIsRefused) {
  expect_refused(part(0).save("other-name.gguf"), "must end in \"-00001-of-00003.gguf\"");
  const std::string first = save_parts();
  part(2).save(part_name(1));
  expect_refused(first, "is not part 2 of 3 as its name says");
  GgufWriter twice = part(1);
  twice.add_tensor("a0", 0, {8}, std::string(32, '0'));
  twice.save(part_name(1));
  expect_refused(first, "tensor a0: is in another file of the model, too");
  GgufWriter fewer = part(1);
  fewer.drop_tensor("a1");
  fewer.save(part_name(1));
  expect_refused(first, "split.tensors.count: is 6, the parts hold 5 tensors");
  GgufWriter many = part(0);
  many.add_unsigned("split.count", 60000);
  expect_refused(many.save(part_name(0)), "at most 1024 parts");
}

}  // namespace
}  // namespace backplane::local
