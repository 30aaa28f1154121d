// SPDX-License-Identifier: Apache-2.0
// Models of SentencePiece: what is read, what is refused, and that no bytes do harm.
#include "plugins/backends/local/tokenizer/sentencepiece_model.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "plugins/backends/local/commands/tokenize.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"

namespace backplane::local {
namespace {

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  return out + static_cast<char>(value);
}

std::string number(unsigned field, std::uint64_t value) {
  return varint(field << 3) + varint(value);
}

std::string bytes(unsigned field, const std::string& value) {
  return varint(field << 3 | 2) + varint(value.size()) + value;
}

std::string piece(const std::string& text, float score, unsigned type = 1) {
  std::string raw(sizeof(score), '\0');
  std::memcpy(raw.data(), &score, sizeof(score));
  return bytes(1, bytes(1, text) + varint(2 << 3 | 5) + raw + (type == 1 ? "" : number(3, type)));
}

const std::string kTrainer = number(3, 2) + number(35, 1);
const std::string kNormalizer = number(4, 0);

// <unk> <s> </s>, the bytes, "a" 259, "b", "ab" 261, U+2581 262, "U+2581 ab" 263, "[END]" 264
std::string model_with(const std::string& trainer, const std::string& normalizer) {
  std::string out = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3);
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", static_cast<unsigned>(byte));
    out += piece(name, 0, 6);
  }
  out += piece("a", -3) + piece("b", -4) + piece("ab", -1) + piece("\xe2\x96\x81", -2) +
         piece(
             "\xe2\x96\x81"
             "ab",
             -5) +
         piece("[END]", 0, 3);
  return out + bytes(2, trainer) + bytes(3, normalizer);
}

std::vector<Token> encode(const std::string& model, std::string_view text,
                          EncodeOptions options = {}) {
  ModelFile file("tokenizer.model");
  const Status status = read_sentencepiece_model(model, file);
  EXPECT_TRUE(status) << (status ? "" : status.error().message);
  const auto tokenizer = Tokenizer::load(file);
  EXPECT_TRUE(tokenizer) << (tokenizer ? "" : tokenizer.error().message);
  return tokenizer ? (*tokenizer)->encode(text, options) : std::vector<Token>();
}

std::string refusal(const std::string& model) {
  ModelFile file("tokenizer.model");
  const Status status = read_sentencepiece_model(model, file);
  EXPECT_TRUE(file.keys().empty());
  return status ? "none" : status.error().message;
}

using Tokens = std::vector<Token>;

TEST(SentencePieceModel, ScoresJoinCharactersAndBytesStandForTheRest) {
  const std::string model = model_with(kTrainer, kNormalizer);
  EXPECT_EQ(encode(model, "ab"), (Tokens{263}));
  EXPECT_EQ(encode(model, "ba"), (Tokens{262, 260, 259}));
  EXPECT_EQ(encode(model, "\xc3\xa9"), (Tokens{262, 3 + 0xc3, 3 + 0xa9}));
  EXPECT_EQ(encode(model, "ab</s>", {true, true}), (Tokens{1, 263, 2}));
  EXPECT_EQ(encode(model_with(kTrainer, kNormalizer + number(3, 0)), "ab"), (Tokens{261}));
}

TEST(SentencePieceModel, IdsAreThoseOfTheTrainer) {
  constexpr auto kNone = static_cast<std::uint64_t>(-1);
  const std::string swapped = kTrainer + number(41, 2) + number(42, 1);
  EXPECT_EQ(encode(model_with(swapped, kNormalizer), "ab", {true, false}), (Tokens{2, 263}));
  const std::string without = kTrainer + number(41, kNone);
  EXPECT_EQ(encode(model_with(without, kNormalizer), "ab", {true, false}), (Tokens{263}));
}

TEST(SentencePieceModel, WhatItCannotDoIsRefusedByName) {
  const std::tuple<std::string, std::string, const char*> cases[] = {
      {number(35, 1), kNormalizer, "trainer_spec.model_type: Unigram"},
      {number(35, 1) + number(3, 4), kNormalizer, "trainer_spec.model_type: Char"},
      {number(35, 1) + number(3, 99), kNormalizer, "trainer_spec.model_type: an unknown one"},
      {number(3, 2), kNormalizer, "trainer_spec.byte_fallback"},
      {kTrainer + number(24, 1), kNormalizer, "trainer_spec.treat_whitespace_as_suffix"},
      {kTrainer, "", "normalizer_spec.remove_extra_whitespaces"},
      {kTrainer, kNormalizer + number(5, 0), "normalizer_spec.escape_whitespaces"},
      {kTrainer, kNormalizer + bytes(2, "map"), "normalizer_spec.precompiled_charsmap"}};
  for (const auto& [trainer, normalizer, expected] : cases) {
    const std::string message = refusal(model_with(trainer, normalizer));
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
  EXPECT_NE(refusal(bytes(2, kTrainer)).find("pieces: "), std::string::npos);
  EXPECT_NE(refusal(piece("", 0)).find("pieces[0]: "), std::string::npos);
  EXPECT_NE(refusal(piece("a", 0, 7)).find("pieces[0]: "), std::string::npos);
  EXPECT_NE(refusal("").find("damaged"), std::string::npos);
}

TEST(SentencePieceModel, DamagedBytesAreRefusedOrRead) {
  const std::string model = model_with(kTrainer, kNormalizer);
  for (std::size_t size = 0; size < model.size(); ++size) {
    EXPECT_NE(refusal(model.substr(0, size)), "none") << size;
  }
  EXPECT_NE(refusal(model + std::string(1, '\x0a') + std::string(9, '\xff') + '\x01'), "none");
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::string broken = model;
    for (int i = 0; i < 3; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    ModelFile file("tokenizer.model");
    if (!read_sentencepiece_model(broken, file)) continue;
    if (const auto tokenizer = Tokenizer::load(file)) (*tokenizer)->encode("ab ba \xc3\xa9", {});
  }
}

TEST(SentencePieceModel, TokenizeReadsTheFileAndItsFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "sentencepiece-folder";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "tokenizer.model", std::ios::binary) << model_with(kTrainer, kNormalizer);
  for (const auto& path : {folder, folder / "tokenizer.model"}) {
    const auto line = tokenize(path, "ab", {});
    ASSERT_TRUE(line) << line.error().message;
    EXPECT_EQ(*line, "[263]");
  }
}

}  // namespace
}  // namespace backplane::local
