// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/convert/conversion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>

#include "plugins/backends/local/convert/evaluation.hpp"
#include "tests/plugins/backends/local/hf_writer.hpp"
#include "tests/plugins/backends/local/recorded.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTinyChat = BACKPLANE_SOURCE_DIR "/configs/models/tiny-chat.gguf";

Result<Conversion> convert(const ModelFile& source, const std::string& path, const char* type,
                           std::size_t threads = 2) {
  Progress quiet(Progress::Style::kQuiet);
  return convert_model(source, path, {*find_recipe(type), threads}, quiet);
}

std::string type_of_tensor(const ModelFile& file, const char* name) {
  return find_ggml_type(file.tensor(name)->type)->name;
}

std::string temporary(const std::string& name) {
  return testing::TempDir() + name;
}

TEST(Recipe, NamesAreFoundInEitherCase) {
  EXPECT_STREQ(find_recipe("q4_k")->name, "Q4_K_M");
  EXPECT_STREQ(find_recipe("BF16")->name, "BF16");
  const auto unknown = find_recipe("Q3_K");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("Q4_K_M"), std::string::npos);
}

TEST(Recipe, WhatMattersMoreKeepsMore) {
  const ModelShape shape{16, false};
  const Recipe medium = *find_recipe("Q4_K_M");
  std::map<std::string, int> six_bits;
  for (int layer = 0; layer < 16; ++layer) {
    for (const char* part : {"attn_v", "ffn_down", "attn_q"}) {
      const std::string name = "blk." + std::to_string(layer) + "." + part + ".weight";
      const Choice choice = choose_type(medium, shape, {name, 0, {512, 512}, {}});
      six_bits[part] += choice.type == kernels::Type::kQ6_K ? 1 : 0;
    }
  }
  EXPECT_EQ(six_bits["attn_v"], 8);  // layers 0, 1, 4, 7, 10, 13, 14, 15
  EXPECT_EQ(six_bits["ffn_down"], 8);
  EXPECT_EQ(six_bits["attn_q"], 0);
}

TEST(Recipe, RowsThatAreNotWholeBlocksFallBack) {
  const ModelShape shape{4, true};
  const auto type = [&](const char* recipe, std::uint64_t columns) {
    const Choice choice =
        choose_type(*find_recipe(recipe), shape, {"blk.2.ffn_up.weight", 0, {columns, 8}, {}});
    return std::string(kernels::layout_of(choice.type).name) + (choice.is_fallback ? "!" : "");
  };
  EXPECT_EQ(type("Q4_K", 256), "Q4_K");
  EXPECT_EQ(type("Q4_K", 288), "Q5_0!");
  EXPECT_EQ(type("Q5_K", 288), "Q5_1!");
  EXPECT_EQ(type("Q6_K", 288), "Q8_0!");
  EXPECT_EQ(type("Q6_K", 100), "F16!");
  EXPECT_EQ(type("Q8_0", 100), "F16!");
  EXPECT_EQ(type("F32", 100), "F32");
}

TEST(Conversion, KeepsMetadataShapesAndNumbers) {
  const auto source = ModelFile::open(kTinyChat);
  ASSERT_TRUE(source) << source.error().message;
  const std::string path = temporary("conversion-f32.gguf");
  ASSERT_TRUE(convert(*source, path, "F32"));
  const auto made = ModelFile::open(path);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(fs::exists(path + ".part"));
  EXPECT_EQ(made->version(), 3U);
  ASSERT_EQ(made->tensors().size(), source->tensors().size());
  EXPECT_EQ(**made->text("tokenizer.chat_template"), **source->text("tokenizer.chat_template"));
  EXPECT_EQ((*made->strings("tokenizer.ggml.tokens"))->strings,
            (*source->strings("tokenizer.ggml.tokens"))->strings);
  EXPECT_EQ(**made->unsigned_number("general.file_type"), 0U);

  // F32 to F32: not one bit changes.
  const std::string again = temporary("conversion-again.gguf");
  ASSERT_TRUE(convert(*made, again, "F32", 1));
  const auto copy = ModelFile::open(again);
  ASSERT_TRUE(copy) << copy.error().message;
  for (const FileTensor& tensor : made->tensors()) {
    const FileTensor* other = copy->tensor(tensor.name);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(other->dimensions, tensor.dimensions);
    EXPECT_TRUE(
        std::equal(tensor.data.begin(), tensor.data.end(), other->data.begin(), other->data.end()));
  }
}

TEST(Conversion, AFolderBecomesTheFileThatItStandsFor) {
  for (const char* architecture : {"llama", "qwen2", "gemma3"}) {
    const HfFolder folder = hf_model(architecture, 30);
    const auto source = ModelFile::open(folder.path());
    ASSERT_TRUE(source) << source.error().message;
    const std::string path = temporary("conversion-folder.gguf");
    const auto conversion = convert(*source, path, "BF16");
    ASSERT_TRUE(conversion) << conversion.error().message;
    EXPECT_TRUE(conversion->notes.empty());
    const auto made = ModelFile::open(path);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(**made->text("general.architecture"), architecture);
    ASSERT_EQ(made->tensors().size(), source->tensors().size());
    for (const FileTensor& tensor : source->tensors()) {
      const FileTensor* other = made->tensor(tensor.name);
      ASSERT_NE(other, nullptr) << tensor.name;
      EXPECT_EQ(other->dimensions, tensor.dimensions);
      EXPECT_TRUE(std::equal(tensor.data.begin(), tensor.data.end(), other->data.begin(),
                             other->data.end()))
          << architecture << " " << tensor.name;
    }
  }
}

TEST(Conversion, GivesTensorsTheTypesOfTheRecipe) {
  const auto source = ModelFile::open(kTinyChat);
  const std::string path = temporary("conversion-q4.gguf");
  const auto conversion = convert(*source, path, "Q4_K_M");
  ASSERT_TRUE(conversion) << conversion.error().message;
  ASSERT_EQ(conversion->notes.size(), 1U);
  EXPECT_NE(conversion->notes[0].find("quantised already"), std::string::npos);
  const auto made = ModelFile::open(path);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(type_of_tensor(*made, "token_embd.weight"), "Q6_K");
  EXPECT_EQ(type_of_tensor(*made, "blk.0.attn_q.weight"), "Q4_K");
  EXPECT_EQ(type_of_tensor(*made, "blk.3.ffn_down.weight"), "Q6_K");
  EXPECT_EQ(type_of_tensor(*made, "blk.0.attn_norm.weight"), "F32");
  EXPECT_LT(static_cast<double>(conversion->bytes),
            0.66 * static_cast<double>(conversion->source_bytes));
}

TEST(Conversion, SaysWhatFellBack) {
  const auto source = ModelFile::open(tiny_model().save("conversion-tiny.gguf"));
  ASSERT_TRUE(source) << source.error().message;
  const auto conversion = convert(*source, temporary("conversion-tiny-q6.gguf"), "Q6_K");
  ASSERT_TRUE(conversion) << conversion.error().message;
  ASSERT_FALSE(conversion->notes.empty());
  EXPECT_NE(conversion->notes[0].find("are not whole blocks"), std::string::npos);
}

TEST(Conversion, AWeightThatIsNoNumberIsAnErrorAndLeavesNothing) {
  GgufWriter writer = tiny_model();
  std::string data;
  for (int i = 0; i < 64; ++i) {
    append_number(data, i == 7 ? std::numeric_limits<float>::quiet_NaN() : 1.0F);
  }
  writer.add_tensor("extra.weight", 0, {32, 2}, data);
  const auto source = ModelFile::open(writer.save("conversion-nan.gguf"));
  ASSERT_TRUE(source) << source.error().message;
  const std::string path = temporary("conversion-nan-q8.gguf");
  const auto conversion = convert(*source, path, "Q8_0");
  ASSERT_FALSE(conversion);
  EXPECT_NE(conversion.error().message.find("extra.weight"), std::string::npos);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::exists(path + ".part"));
}

std::string story() {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text +=
        "Once upon a time there was a small fox who lived in a big wood. One day the fox met "
        "a bird. \"Will you play with me?\" said the fox. They were happy. ";
  }
  return text;
}

Result<Evaluation> evaluate(const std::string& path, const std::string& against,
                            const std::string& text) {
  Progress quiet(Progress::Style::kQuiet);
  const auto model = ModelFile::open(path);
  if (against.empty()) return evaluate_model(*model, nullptr, text, {128, 3, 1}, quiet);
  const auto reference = ModelFile::open(against);
  return evaluate_model(*model, &*reference, text, {128, 3, 1}, quiet);
}

TEST(Evaluation, AModelDoesNotDivergeFromItself) {
  const auto evaluation = evaluate(kTinyChat, kTinyChat, story());
  ASSERT_TRUE(evaluation) << evaluation.error().message;
  EXPECT_EQ(evaluation->windows, 3U);
  EXPECT_EQ(evaluation->tokens, 3U * 63U);
  ASSERT_TRUE(evaluation->divergence);
  EXPECT_EQ(evaluation->divergence->max, 0);
  EXPECT_EQ(evaluation->divergence->same_top, 1);
  EXPECT_EQ(evaluation->divergence->reference_perplexity, evaluation->perplexity);
}

// The figure is llama-perplexity's, of the same windows.
TEST(Evaluation, PerplexityIsTheReferences) {
  const std::string model = recorded_path("models/stories260K.gguf");
  const std::string text = recorded_path("models/war-and-peace.txt");
  if (model.empty() || text.empty()) GTEST_SKIP() << "no recorded model";
  const auto file = ModelFile::open(model);
  Progress quiet(Progress::Style::kQuiet);
  const auto evaluation =
      evaluate_model(*file, nullptr, file_text(text).substr(0, 60000), {128, 40, 1}, quiet);
  ASSERT_TRUE(evaluation) << evaluation.error().message;
  EXPECT_NEAR(evaluation->perplexity, 54.2880, 0.001 * 54.2880);
}

TEST(Evaluation, FewerBitsDivergeMore) {
  const auto source = ModelFile::open(kTinyChat);
  double least = 0;
  for (const char* type : {"Q6_K", "Q5_K_M", "Q4_K_M"}) {
    const std::string path = temporary(std::string("evaluation-") + type + ".gguf");
    ASSERT_TRUE(convert(*source, path, type));
    const auto evaluation = evaluate(path, kTinyChat, story());
    ASSERT_TRUE(evaluation) << evaluation.error().message;
    EXPECT_GT(evaluation->divergence->mean, least) << type;
    EXPECT_LT(evaluation->divergence->mean, 0.1) << type;
    EXPECT_GE(evaluation->divergence->max, evaluation->divergence->mean);
    least = evaluation->divergence->mean;
  }
}

TEST(Evaluation, ATextThatIsTooShortIsToldSo) {
  const auto evaluation = evaluate(kTinyChat, "", "Once upon a time.");
  ASSERT_FALSE(evaluation);
  EXPECT_NE(evaluation.error().message.find("two windows of 128"), std::string::npos);
}

}  // namespace
}  // namespace backplane::local
