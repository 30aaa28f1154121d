// SPDX-License-Identifier: Apache-2.0
// Folders as Hugging Face has them are the models that GGUF files of the same weights are.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <cstring>
#include <functional>

#include "plugins/backends/local/files/hf_tokenizer.hpp"
#include "tests/plugins/backends/local/hf_writer.hpp"
#include "tests/plugins/backends/local/model/sequence.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

std::vector<std::vector<float>> logits_of(const std::string& path) {
  const auto file = ModelFile::open(path);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return {};
  }
  const Sequence sequence(*file);
  std::vector<std::int32_t> tokens;
  for (int i = 0; i < 60; ++i) tokens.push_back((i * 37 + 11) % kTinyVocabulary);
  return sequence ? sequence.logits(tokens) : std::vector<std::vector<float>>();
}

TEST(HfFolder, GivesTheLogitsOfTheGgufFile) {
  for (const NamedArchitecture& architecture : tiny_architectures()) {
    if (architecture.name == "llama with divisors") continue;  // HF has a formula for them
    for (const std::uint32_t type : {0u, 1u, 30u}) {
      SCOPED_TRACE(architecture.name + " type " + std::to_string(type));
      const std::string gguf = tiny_model(architecture.shape, type).save("same.gguf");
      EXPECT_TRUE(logits_of(hf_model(architecture.name, type).path()) == logits_of(gguf));
    }
  }
}

TEST(HfFolder, InPartsIsTheSame) {
  const HfFolder folder = hf_model("qwen2", 30);
  const auto whole = logits_of(folder.path());
  folder.remove("model.safetensors");
  std::vector<StoredTensor> parts[2];
  json::object map;
  for (StoredTensor& tensor : hf_tensors("qwen2", 30)) {
    const std::size_t part = map.size() % 2;
    map[tensor.name] = part == 0 ? "part-a.safetensors" : "part-b.safetensors";
    parts[part].push_back(std::move(tensor));
  }
  folder.write("part-a.safetensors", safetensors_bytes(parts[0]));
  const std::string second = folder.write("part-b.safetensors", safetensors_bytes(parts[1]));
  folder.write("model.safetensors.index.json",
               json::serialize(json::object{{"weight_map", std::move(map)}}));
  EXPECT_TRUE(logits_of(folder.path()) == whole);
  folder.remove("part-b.safetensors");
  const auto file = ModelFile::open(folder.path());
  ASSERT_FALSE(file);
  EXPECT_TRUE(file.error().message.starts_with(second + ": is missing")) << file.error().message;
}

// As Gemma 3 has it: the text model beside one for images, under one more name.
TEST(HfFolder, ATextModelWithinAnother) {
  const auto expected = logits_of(hf_model("gemma3", 30).path());
  for (const bool old_names : {true, false}) {
    const HfFolder folder("within");
    json::object config = hf_config("gemma3");
    config["model_type"] = "gemma3_text";
    folder.write("config.json", json::serialize(json::object{{"model_type", "gemma3"},
                                                             {"text_config", std::move(config)},
                                                             {"vision_config", {{"x", 1}}}}));
    auto tensors = hf_tensors("gemma3", 30);
    for (StoredTensor& tensor : tensors) {
      tensor.name = old_names ? "language_model." + tensor.name
                              : "model.language_model." + tensor.name.substr(6);
    }
    tensors.push_back({"vision_tower.patch", "U8", {4}, "1234"});
    folder.write("model.safetensors", safetensors_bytes(tensors));
    EXPECT_TRUE(logits_of(folder.path()) == expected);
  }
}

TEST(HfFolder, BaseModelsHaveShorterNames) {
  const HfFolder folder = hf_model("qwen3", 0);
  const auto expected = logits_of(folder.path());
  auto tensors = hf_tensors("qwen3", 0);
  for (StoredTensor& tensor : tensors) tensor.name = tensor.name.substr(6);
  folder.write("model.safetensors", safetensors_bytes(tensors));
  EXPECT_TRUE(logits_of(folder.path()) == expected);
}

TEST(HfFolder, IsDescribedWithoutItsCopies) {
  const HfFolder folder = hf_model("llama", 30);
  const auto whole = ModelFile::open(folder.path());
  const auto described = ModelFile::open(folder.path(), TensorData::kLeave);
  ASSERT_TRUE(whole && described);
  ASSERT_EQ(whole->tensors().size(), described->tensors().size());
  for (const FileTensor& tensor : described->tensors()) {
    EXPECT_EQ(tensor.dimensions, whole->tensor(tensor.name)->dimensions);
    EXPECT_FALSE(whole->tensor(tensor.name)->data.empty());
  }
  EXPECT_TRUE(described->tensor("blk.0.attn_q.weight")->data.empty());
}

// The divisors of Llama 3.1 8B: short waves stay, those longer than its first context do not.
TEST(HfFolder, Llama3StretchesLongWaves) {
  const HfFolder folder = hf_model("llama", 0);
  json::object config = hf_config("llama");
  config["head_dim"] = 128;
  config["rope_theta"] = 500000.0;
  config["rope_scaling"] = {{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 8192}};
  folder.write("config.json", json::serialize(config));
  const auto file = ModelFile::open(folder.path());
  ASSERT_TRUE(file) << file.error().message;
  const FileTensor* divisors = file->tensor("rope_freqs.weight");
  ASSERT_NE(divisors, nullptr);
  ASSERT_EQ(divisors->dimensions, std::vector<std::uint64_t>{64});
  constexpr std::pair<std::size_t, float> kExpected[] = {
      {0, 1.0f},      {28, 1.0f},     {29, 1.20748f}, {30, 1.55341f},
      {31, 2.02631f}, {34, 5.25733f}, {35, 8.0f},     {63, 8.0f}};
  for (const auto& [pair, expected] : kExpected) {
    float divisor = 0;
    std::memcpy(&divisor, divisors->data.data() + pair * sizeof(float), sizeof(float));
    EXPECT_NEAR(divisor, expected, 1e-4f) << pair;
  }
}

TEST(HfFolder, TakesChatTemplatesFromEitherPlace) {
  const HfFolder folder = hf_model("llama", 0);
  folder.write("tokenizer_config.json", R"({"add_bos_token": true, "chat_template": "one"})");
  const auto one = ModelFile::open(folder.path());
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->text("tokenizer.chat_template")->value(), "one");
  EXPECT_TRUE(one->boolean("tokenizer.ggml.add_bos_token")->value());
  EXPECT_EQ(one->unsigned_number("tokenizer.ggml.bos_token_id")->value(), 1u);
  folder.write("tokenizer_config.json",
               R"({"chat_template": [{"name": "default", "template": "two"},
                                     {"name": "tool_use", "template": "three"}]})");
  const auto two = ModelFile::open(folder.path());
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(two->text("tokenizer.chat_template")->value(), "two");
  EXPECT_EQ(two->text("tokenizer.chat_template.tool_use")->value(), "three");
  folder.write("chat_template.jinja", "four");
  const auto four = ModelFile::open(folder.path());
  ASSERT_TRUE(four) << four.error().message;
  EXPECT_EQ(four->text("tokenizer.chat_template")->value(), "four");
}

TEST(HfFolder, SeveralTokensMayEndATurn) {
  const HfFolder folder = hf_model("llama", 0);
  folder.write("generation_config.json", R"({"eos_token_id": [2, 288, 5]})");
  const auto file = ModelFile::open(folder.path());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->unsigned_number("tokenizer.ggml.eos_token_id")->value(), 2u);
  EXPECT_EQ(file->unsigned_number("tokenizer.ggml.eot_token_id")->value(), 288u);
  EXPECT_EQ(file->unsigned_number("tokenizer.ggml.eom_token_id")->value(), 5u);
}

TEST(HfFolder, EveryRowHasAToken) {
  ModelFile model("model");
  const std::vector<std::int32_t> types = {1, 3};
  MetadataArray tokens;
  tokens.type = MetadataType::kString;
  tokens.strings = {"a", "<end>"};
  MetadataArray kinds;
  kinds.type = MetadataType::kInt32;
  kinds.raw = std::as_bytes(std::span(types));
  model.set("tokenizer.ggml.tokens", tokens);
  model.set("tokenizer.ggml.token_type", kinds);
  model.set("tokenizer.ggml.add_bos_token", true);
  FileTensor table;
  table.name = "token_embd.weight";
  table.dimensions = {8, 4};
  ASSERT_TRUE(model.add(table));
  const HfFolder folder("tokens");
  folder.write("tokenizer_config.json",
               R"({"eos_token": {"content": "<end>"}, "add_bos_token": false})");
  const auto status = read_hf_tokenizer(folder.path(), model);
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ((*model.strings("tokenizer.ggml.tokens"))->strings,
            (std::vector<std::string_view>{"a", "<end>", "[PAD2]", "[PAD3]"}));
  const MetadataArray* filled = *model.numbers("tokenizer.ggml.token_type");
  ASSERT_EQ(filled->size(), 4u);
  EXPECT_EQ(filled->number(1), 3);
  EXPECT_EQ(filled->number(3), 5);
  EXPECT_EQ(model.unsigned_number("tokenizer.ggml.eos_token_id")->value(), 1u);
  EXPECT_TRUE(model.boolean("tokenizer.ggml.add_bos_token")->value());
}

struct BadFolder {
  const char* name;
  std::function<void(const HfFolder&)> damage;
  const char* expected;
};

void change_config(const HfFolder& folder, const char* field, json::value value) {
  json::object config = hf_config("llama");
  config[field] = std::move(value);
  folder.write("config.json", json::serialize(config));
}

void change_tensors(const HfFolder& folder, const std::function<void(StoredTensor&)>& change) {
  auto tensors = hf_tensors("llama", 30);
  for (StoredTensor& tensor : tensors) change(tensor);
  folder.write("model.safetensors", safetensors_bytes(tensors));
}

const BadFolder kBadFolders[] = {
    {"no config", [](const HfFolder& f) { f.remove("config.json"); }, "has no config.json"},
    {"no weights", [](const HfFolder& f) { f.remove("model.safetensors"); },
     "has neither model.safetensors nor"},
    {"no object", [](const HfFolder& f) { f.write("config.json", "[1]"); },
     "config.json: is not a JSON object"},
    {"type", [](const HfFolder& f) { change_config(f, "model_type", "mamba"); },
     "model_type: \"mamba\" is not supported"},
    {"quantised",
     [](const HfFolder& f) { change_config(f, "quantization_config", json::object()); },
     "quantization_config: weights quantised in this way"},
    {"size", [](const HfFolder& f) { change_config(f, "hidden_size", -1); },
     "hidden_size: expected a whole number"},
    {"epsilon", [](const HfFolder& f) { change_config(f, "rms_norm_eps", "small"); },
     "rms_norm_eps: expected a number"},
    {"activation", [](const HfFolder& f) { change_config(f, "hidden_act", "relu"); },
     "hidden_act: is not \"silu\""},
    {"heads", [](const HfFolder& f) { change_config(f, "num_attention_heads", 5); },
     "has 32 rows, which are no 5 heads of pairs"},
    {"rope",
     [](const HfFolder& f) {
       change_config(f, "rope_scaling", {{"type", "dynamic"}});
     },
     "rope_type: \"dynamic\" is not supported"},
    {"rope factor",
     [](const HfFolder& f) {
       change_config(f, "rope_scaling", {{"type", "yarn"}});
     },
     "rope_scaling.factor: expected a positive number"},
    {"long factors",
     [](const HfFolder& f) {
       change_config(f, "rope_scaling", {{"type", "longrope"}, {"long_factor", {1, 2}}});
     },
     "rope_scaling.long_factor: expected 4 numbers"},
    {"long factors of no heads",
     [](const HfFolder& f) {
       json::object config = hf_config("llama");
       config["head_dim"] = 1;
       config["rope_scaling"] = {
           {"type", "longrope"}, {"long_factor", json::array()}, {"short_factor", json::array()}};
       f.write("config.json", json::serialize(config));
     },
     "rope_scaling.type: longrope needs heads of two numbers or more"},
    {"unknown tensor",
     [](const HfFolder& f) {
       change_tensors(f, [](StoredTensor& t) {
         if (t.name == "model.norm.weight") t.name = "model.layers.0.self_attn.sinks";
       });
     },
     "tensor model.layers.0.self_attn.sinks: is not known"},
    {"dtype",
     [](const HfFolder& f) {
       change_tensors(f, [](StoredTensor& t) {
         if (t.name == "model.norm.weight") t.dtype = "I16";
       });
     },
     "tensor model.norm.weight: its dtype is not supported"},
    {"index outside",
     [](const HfFolder& f) {
       f.remove("model.safetensors");
       f.write("model.safetensors.index.json", R"({"weight_map": {"a": "../b.safetensors"}})");
     },
     "expected the name of a file in this folder"},
};

TEST(HfFolder, BadFoldersAreRefusedWithPlaceAndRemedy) {
  for (const BadFolder& bad : kBadFolders) {
    const HfFolder folder = hf_model("llama", 30);
    bad.damage(folder);
    const auto file = ModelFile::open(folder.path());
    ASSERT_FALSE(file) << bad.name;
    EXPECT_NE(file.error().message.find(bad.expected), std::string::npos)
        << bad.name << ": " << file.error().message;
    EXPECT_TRUE(file.error().message.starts_with(folder.path())) << file.error().message;
  }
}

}  // namespace
}  // namespace backplane::local
