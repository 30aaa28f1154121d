// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/adapters/lora_adapter.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "tests/plugins/backends/local/adapters/peft_writer.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"
#include "tests/plugins/backends/local/recorded.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

using Loaded = Result<std::shared_ptr<const LoraAdapter>>;

const ModelFile& base() {
  static const ModelFile file = [] {
    auto opened = ModelFile::open(tiny_model().save("lora_base.gguf"));
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }();
  return file;
}

const LoraTarget& target_of(const LoraAdapter& adapter, std::string_view name) {
  for (const LoraTarget& target : adapter.targets()) {
    if (target.name == name) return target;
  }
  ADD_FAILURE() << "no " << name;
  return adapter.targets().front();
}

TEST(LoraAdapter, ReadsGguf) {
  const Loaded loaded = LoraAdapter::load(tiny_adapter().save("lora.gguf"), base());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->targets().size(), tiny_targets().size());
  const LoraTarget& down = target_of(**loaded, "blk.1.ffn_down.weight");
  EXPECT_EQ(down.down.columns, 64U);
  EXPECT_EQ(down.down.rows, kTinyRank);
  EXPECT_EQ(down.up.rows, 32U);
  EXPECT_FLOAT_EQ(down.scale, kTinyAlpha / kTinyRank);
  const Loaded again = LoraAdapter::load((*loaded)->path(), base());
  EXPECT_NE((*again)->id(), (*loaded)->id());
}

TEST(LoraAdapter, WithoutAlphaTheProductIsAddedAsItIs) {
  GgufWriter writer = tiny_adapter();
  writer.add_real("adapter.lora.alpha", 0);
  const Loaded loaded = LoraAdapter::load(writer.save("lora_0.gguf"), base());
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->targets().front().scale, 1.0f);
}

// The same adapter in both forms, the rows of queries and keys in the base's order.
TEST(LoraAdapter, ReadsPeftFoldersAsGguf) {
  const Loaded gguf = LoraAdapter::load(tiny_adapter().save("same.gguf"), base());
  ASSERT_TRUE(gguf);
  for (const bool is_stable : {false, true}) {
    const PeftFolder folder(**gguf, is_stable);
    const Loaded loaded = LoraAdapter::load(folder.path(), base());
    ASSERT_TRUE(loaded) << loaded.error().message;
    for (const LoraTarget& expected : (*gguf)->targets()) {
      const LoraTarget& target = target_of(**loaded, expected.name);
      EXPECT_EQ(target.down.bytes, expected.down.bytes) << expected.name;
      EXPECT_EQ(target.up.bytes, expected.up.bytes) << expected.name;
      const float divisor = is_stable ? std::sqrt(float{kTinyRank}) : float{kTinyRank};
      EXPECT_FLOAT_EQ(target.scale, kTinyAlpha / divisor);
    }
  }
}

std::string identifier(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

struct BadGguf {
  const char* name;
  std::function<void(GgufWriter&)> damage;
  const char* expected;
};

class BadGgufAdapter : public testing::TestWithParam<BadGguf> {};

TEST_P(BadGgufAdapter, IsRefusedByName) {
  GgufWriter writer = tiny_adapter();
  GetParam().damage(writer);
  const std::string path = writer.save("bad_lora.gguf");
  const Loaded loaded = LoraAdapter::load(path, base());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kInvalidArgument);
  EXPECT_NE(loaded.error().message.find(path), std::string::npos) << loaded.error().message;
  EXPECT_NE(loaded.error().message.find(GetParam().expected), std::string::npos)
      << loaded.error().message;
}

constexpr const char* kQ = "blk.0.attn_q.weight";

void replace(GgufWriter& writer, const std::string& name, std::uint64_t columns,
             std::uint64_t rows) {
  writer.add_tensor(name, 0, {columns, rows}, float_bytes(tiny_half(columns * rows, 9)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadGgufAdapter,
    testing::Values(
        BadGguf{"a model", [](GgufWriter& w) { w.add_text("general.type", "model"); },
                "general.type"},
        BadGguf{"another kind", [](GgufWriter& w) { w.add_text("adapter.type", "dora"); },
                "adapter.type"},
        BadGguf{"another network",
                [](GgufWriter& w) { w.add_text("general.architecture", "qwen2"); },
                "expected \"llama\""},
        BadGguf{"alpha is text", [](GgufWriter& w) { w.add_text("adapter.lora.alpha", "x"); },
                "adapter.lora.alpha"},
        BadGguf{"in the midst of a prompt",
                [](GgufWriter& w) { w.add_integers("adapter.alora.invocation_tokens", {1}); },
                "not supported"},
        BadGguf{"one half", [](GgufWriter& w) { w.drop_tensor(std::string(kQ) + ".lora_b"); },
                "lora_b is missing"},
        BadGguf{"another half", [](GgufWriter& w) { w.drop_tensor(std::string(kQ) + ".lora_a"); },
                "lora_a is missing"},
        BadGguf{"unknown target",
                [](GgufWriter& w) {
                  replace(w, "blk.9.attn_q.weight.lora_a", 32, 3);
                  replace(w, "blk.9.attn_q.weight.lora_b", 3, 32);
                },
                "no such matrix"},
        BadGguf{"the name of a vector",
                [](GgufWriter& w) {
                  replace(w, "output_norm.weight.lora_a", 32, 3);
                  replace(w, "output_norm.weight.lora_b", 3, 32);
                },
                "no such matrix"},
        BadGguf{"no half at all", [](GgufWriter& w) { replace(w, "output_norm.weight", 32, 1); },
                "adapters change matrices only"},
        BadGguf{"wrong inputs",
                [](GgufWriter& w) { replace(w, std::string(kQ) + ".lora_a", 31, kTinyRank); },
                "do not fit"},
        BadGguf{"wrong outputs",
                [](GgufWriter& w) { replace(w, std::string(kQ) + ".lora_b", kTinyRank, 33); },
                "do not fit"},
        BadGguf{"two ranks", [](GgufWriter& w) { replace(w, std::string(kQ) + ".lora_b", 4, 32); },
                "same rank"},
        BadGguf{"a rank beyond all",
                [](GgufWriter& w) {
                  replace(w, std::string(kQ) + ".lora_a", 32, 1025);
                  replace(w, std::string(kQ) + ".lora_b", 1025, 32);
                },
                "has rank 1025"},
        BadGguf{"rank 0",
                [](GgufWriter& w) {
                  w.add_tensor(std::string(kQ) + ".lora_a", 0, {32, 0}, "");
                  w.add_tensor(std::string(kQ) + ".lora_b", 0, {0, 32}, "");
                },
                "lora"},
        BadGguf{"numbers that are no weights",
                [](GgufWriter& w) {
                  w.add_tensor(std::string(kQ) + ".lora_a", 24, {32, 3}, std::string(96, '\1'));
                },
                "type"},
        BadGguf{"nothing in it",
                [](GgufWriter& w) {
                  for (const TinyTarget& target : tiny_targets()) {
                    w.drop_tensor(target.name + std::string(".lora_a"));
                    w.drop_tensor(target.name + std::string(".lora_b"));
                  }
                },
                "there is none"}),
    [](const auto& one) { return identifier(one.param.name); });

struct BadPeft {
  const char* name;
  std::function<void(const PeftFolder&)> damage;
  const char* expected;
};

class BadPeftAdapter : public testing::TestWithParam<BadPeft> {};

TEST_P(BadPeftAdapter, IsRefusedByName) {
  const Loaded gguf = LoraAdapter::load(tiny_adapter().save("good.gguf"), base());
  ASSERT_TRUE(gguf);
  const PeftFolder folder(**gguf, false);
  GetParam().damage(folder);
  const Loaded loaded = LoraAdapter::load(folder.path(), base());
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find(folder.path()), std::string::npos)
      << loaded.error().message;
  EXPECT_NE(loaded.error().message.find(GetParam().expected), std::string::npos)
      << loaded.error().message;
}

void config(const PeftFolder& folder, const std::string& extra) {
  folder.write("adapter_config.json",
               R"({"peft_type":"LORA","r":3,"lora_alpha":1.5)" + extra + "}");
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadPeftAdapter,
    testing::Values(
        BadPeft{"no settings", [](const PeftFolder& f) { f.remove("adapter_config.json"); },
                "adapter_config.json"},
        BadPeft{"settings that are no JSON",
                [](const PeftFolder& f) { f.write("adapter_config.json", "{"); },
                "adapter_config.json"},
        BadPeft{"another kind",
                [](const PeftFolder& f) {
                  f.write("adapter_config.json", R"({"peft_type":"IA3","lora_alpha":1})");
                },
                "peft_type"},
        BadPeft{
            "no alpha",
            [](const PeftFolder& f) { f.write("adapter_config.json", R"({"peft_type":"LORA"})"); },
            "lora_alpha"},
        BadPeft{"decomposed", [](const PeftFolder& f) { config(f, R"(,"use_dora":true)"); },
                "use_dora"},
        BadPeft{"alphas by pattern",
                [](const PeftFolder& f) { config(f, R"(,"alpha_pattern":{"q_proj":2})"); },
                "alpha_pattern"},
        BadPeft{"whole modules",
                [](const PeftFolder& f) { config(f, R"(,"modules_to_save":["lm_head"])"); },
                "modules_to_save"},
        BadPeft{"no weights", [](const PeftFolder& f) { f.remove("adapter_model.safetensors"); },
                "adapter_model.safetensors"},
        BadPeft{"weights that are none",
                [](const PeftFolder& f) { f.write("adapter_model.safetensors", "12345678x"); },
                "adapter_model.safetensors"},
        BadPeft{"a module nobody knows",
                [](const PeftFolder& f) {
                  f.write("adapter_model.safetensors",
                          safetensors({{"base_model.model.model.layers.0.mlp.extra.lora_A.weight",
                                        {3, 32},
                                        float_bytes(tiny_half(96, 1))}}));
                },
                "a module that is not known"},
        BadPeft{"a tensor that is no half",
                [](const PeftFolder& f) {
                  f.write("adapter_model.safetensors",
                          safetensors({{"base_model.model.lm_head.weight",
                                        {3, 32},
                                        float_bytes(tiny_half(96, 1))}}));
                },
                "no half of a low-rank pair"}),
    [](const auto& one) { return identifier(one.param.name); });

// Every beginning of a file, and thousands of single bytes changed: refused or read, never worse.
TEST(LoraAdapter, DamagedFilesAreNoDanger) {
  const std::string whole = tiny_adapter().bytes();
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 engine(seed);
  const auto load = [&](const std::string& bytes) {
    const std::string path = save_file("damaged.gguf", bytes);
    const Loaded loaded = LoraAdapter::load(path, base());
    EXPECT_TRUE(loaded || loaded.error().message.find(path) != std::string::npos);
  };
  const std::size_t head = whole.find("blk.1.ffn_down.weight.lora_b") + 64;
  for (std::size_t size = 0; size < head; size += 7) load(whole.substr(0, size));
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole;
    bytes[engine() % head] = static_cast<char>(engine());
    load(bytes);
  }
}

}  // namespace
}  // namespace backplane::local
