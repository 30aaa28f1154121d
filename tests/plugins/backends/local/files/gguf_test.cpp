// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/model_file.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "plugins/backends/local/model/model.hpp"
#include "plugins/backends/local/tokenizer/tokenizer.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

TEST(ModelFile, ReadsWhatWasWritten) {
  for (const std::uint32_t version : {2u, 3u}) {
    GgufWriter writer;
    writer.version = version;
    writer.add_unsigned("a.number", 7);
    writer.add_real("a.real", 0.5f);
    writer.add_boolean("a.flag", true);
    writer.add_text("a.text", "hello");
    writer.add_texts("some.texts", {"x", "", "yz"});
    writer.add_integers("some.integers", {-1, 5});
    writer.add_tensor("t", 0, {2, 3}, std::string(24, '\1'));
    const auto file = ModelFile::open(writer.save("read.gguf"));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->version(), version);
    EXPECT_EQ(file->unsigned_number("a.number")->value(), 7u);
    EXPECT_EQ(file->real_number("a.real")->value(), 0.5);
    EXPECT_TRUE(file->boolean("a.flag")->value());
    EXPECT_EQ(file->text("a.text")->value(), "hello");
    EXPECT_EQ((*file->strings("some.texts"))->strings,
              (std::vector<std::string_view>{"x", "", "yz"}));
    EXPECT_EQ((*file->numbers("some.integers"))->number(0), -1);
    EXPECT_FALSE(file->text("absent")->has_value());
    EXPECT_FALSE(file->text("a.number"));
    ASSERT_NE(file->tensor("t"), nullptr);
    EXPECT_EQ(file->tensor("t")->data.size(), 24u);
    EXPECT_EQ(file->tensor("t")->data[23], std::byte{1});
  }
}

struct BadFile {
  const char* name;
  std::function<std::string()> bytes;
  const char* expected;  // a part of the message
};

std::string patched(std::string bytes, std::size_t at, const std::string& patch) {
  return bytes.replace(at, patch.size(), patch);
}

std::string with_entry(const std::string& raw) {
  GgufWriter writer;
  writer.add_raw("bad.key", raw);
  return writer.bytes();
}

std::string with_tensor(std::uint32_t type, const std::vector<std::uint64_t>& dimensions,
                        std::size_t size) {
  GgufWriter writer;
  writer.add_tensor("bad.tensor", type, dimensions, std::string(size, '\0'));
  return writer.bytes();
}

std::string array_header(std::uint32_t type, std::uint64_t count) {
  std::string raw;
  append_number(raw, std::uint32_t{9});
  append_number(raw, type);
  append_number(raw, count);
  return raw;
}

const BadFile kBadFiles[] = {
    {"empty", [] { return std::string(); }, "is empty"},
    {"magic", [] { return "ABCD" + tiny_model().bytes().substr(4); }, "is not a GGUF file"},
    {"version", [] { return patched(tiny_model().bytes(), 4, "\x09"); }, "has GGUF version 9"},
    {"big endian", [] { return patched(tiny_model().bytes(), 4, std::string("\0\0\0\3", 4)); },
     "big-endian"},
    {"tensor count", [] { return patched(tiny_model().bytes(), 8, std::string(8, '\xff')); },
     "the file is damaged"},
    {"value type", [] { return with_entry(std::string("\x63\0\0\0", 4)); },
     "bad.key: unknown value type 99"},
    {"array count", [] { return with_entry(array_header(5, UINT64_MAX)); },
     "bad.key: the file ends here"},
    {"string count", [] { return with_entry(array_header(8, UINT64_MAX / 8)); },
     "the file ends here"},
    {"nested array", [] { return with_entry(array_header(9, 1)); }, "element type 9"},
    {"tensor type", [] { return with_tensor(77, {32}, 128); },
     "tensor bad.tensor: has type 77, which is unknown"},
    {"no dimensions", [] { return with_tensor(0, {}, 4); }, "has 0 dimensions"},
    {"zero dimension",
     [] {
       return with_tensor(0, {4, 0}, 4);
     },
     "impossible shape"},
    {"overflowing shape",
     [] {
       return with_tensor(0, {std::uint64_t{1} << 33, std::uint64_t{1} << 33}, 4);
     },
     "impossible shape"},
    {"split block", [] { return with_tensor(8, {33}, 68); }, "not whole Q8_0 blocks"},
    {"short data", [] { return with_tensor(0, {1000}, 4); }, "the file ends here"},
    {"overlap",
     [] {
       GgufWriter writer;
       writer.add_tensor("a", 0, {16}, std::string(64, '\0'));
       writer.add_tensor("bb", 0, {16}, std::string(64, '\0'));
       std::string bytes = writer.bytes();
       // Its offset, the last field of the last tensor: 64 becomes 32.
       return patched(bytes, bytes.find("bb") + 2 + 4 + 8 + 4, "\x20");
     },
     "tensor bb: its data is also another tensor's"},
    {"alignment",
     [] {
       GgufWriter writer;
       writer.add_unsigned("general.alignment", 3);
       return writer.bytes();
     },
     "general.alignment: is 3"},
};

TEST(ModelFile, BadFilesAreRefusedWithPlaceAndRemedy) {
  for (const BadFile& bad : kBadFiles) {
    const std::string path = save_file("bad.gguf", bad.bytes());
    const auto file = ModelFile::open(path);
    ASSERT_FALSE(file) << bad.name;
    EXPECT_NE(file.error().message.find(bad.expected), std::string::npos)
        << bad.name << ": " << file.error().message;
    EXPECT_TRUE(file.error().message.starts_with(path)) << file.error().message;
  }
  EXPECT_EQ(ModelFile::open("/nonexistent/x.gguf").error().code, Code::kNotFound);
  EXPECT_FALSE(ModelFile::open("/"));
}

// Reads everything a loader would; must come back, with a model or an error.
bool loads(const std::string& bytes) {
  const auto file = ModelFile::open(save_file("damaged.gguf", bytes));
  if (!file) return false;
  const auto device = kernels::make_cpu_device(1);
  const auto model = Model::load(*file, *device, 4, 1);
  const auto tokenizer = Tokenizer::load(*file);
  if (tokenizer) (*tokenizer)->encode("the quick\xff fox", {true, true});
  return model && tokenizer;
}

TEST(ModelFile, EveryTruncationIsRefused) {
  const std::string bytes = tiny_model().bytes();
  ASSERT_TRUE(loads(bytes));
  for (std::size_t size = 1; size < bytes.size(); size += size < 600 ? 1 : 997) {
    EXPECT_FALSE(loads(bytes.substr(0, size))) << size << " bytes";
  }
}

TEST(ModelFile, FlippedBitsNeverCrash) {
  const std::string bytes = tiny_model().bytes();
  const std::size_t metadata = bytes.find("token_embd.weight") + 1500;
  const std::uint32_t seed = std::random_device{}();
  std::mt19937 engine(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (int round = 0; round < 1500; ++round) {
    std::string damaged = bytes;
    for (int flips = 1 + static_cast<int>(engine() % 3); flips > 0; --flips) {
      char& byte = damaged[engine() % metadata];
      byte = static_cast<char>(byte ^ (1 << (engine() % 8)));
    }
    loads(damaged);
  }
}

struct BadModel {
  const char* name;
  std::function<void(GgufWriter&)> damage;
  const char* expected;
};

const BadModel kBadModels[] = {
    {"architecture", [](GgufWriter& w) { w.add_text("general.architecture", "mamba"); },
     "\"mamba\" is not supported"},
    {"experts", [](GgufWriter& w) { w.add_unsigned("llama.expert_count", 8); }, "mixtures"},
    {"heads", [](GgufWriter& w) { w.add_unsigned("llama.attention.head_count_kv", 3); },
     "does not divide"},
    {"layers", [](GgufWriter& w) { w.add_unsigned("llama.block_count", 0); },
     "llama.block_count: is 0"},
    {"missing tensor", [](GgufWriter& w) { w.drop_tensor("blk.1.ffn_up.weight"); },
     "tensor blk.1.ffn_up.weight: is missing"},
    {"wrong shape",
     [](GgufWriter& w) {
       w.add_tensor("blk.0.attn_k.weight", 0, {32, 8}, std::string(32 * 8 * 4, '\0'));
     },
     "tensor blk.0.attn_k.weight: has shape [32, 8], expected [32, 16]"},
    {"type",
     [](GgufWriter& w) {
       w.add_tensor("blk.0.attn_k.weight", 20, {32, 16}, std::string(16 * 18, '\0'));
     },
     "has type IQ4_NL; use a file of another type"},
    {"norm type",
     [](GgufWriter& w) { w.add_tensor("output_norm.weight", 24, {32}, std::string(32, '\0')); },
     "output_norm.weight: has type I8"},
    {"unknown tensor",
     [](GgufWriter& w) { w.add_tensor("blk.0.attn_sinks", 0, {4}, std::string(16, '\0')); },
     "tensor blk.0.attn_sinks: is not known of a model of the architecture llama"},
    {"scaling", [](GgufWriter& w) { w.add_text("llama.rope.scaling.type", "dynamic"); },
     "\"dynamic\""},
    {"window pattern",
     [](GgufWriter& w) {
       w.add_unsigned("llama.attention.sliding_window", 8);
       w.add_integers("llama.attention.sliding_window_pattern", {1});
     },
     "expected a truth value for each layer"},
    {"divisors",
     [](GgufWriter& w) { w.add_tensor("rope_freqs.weight", 0, {4}, std::string(16, '\0')); },
     "rope_freqs.weight: expected positive numbers"},
    {"epsilon", [](GgufWriter& w) { w.add_real("llama.attention.layer_norm_rms_epsilon", -1); },
     "expected a positive number"},
};

TEST(ModelLoad, BadModelsAreRefusedWithPlaceAndRemedy) {
  for (const BadModel& bad : kBadModels) {
    GgufWriter writer = tiny_model();
    bad.damage(writer);
    const auto file = ModelFile::open(writer.save("model.gguf"));
    ASSERT_TRUE(file) << file.error().message;
    const auto device = kernels::make_cpu_device(1);
    const auto model = Model::load(*file, *device, 4, 1);
    ASSERT_FALSE(model) << bad.name;
    EXPECT_NE(model.error().message.find(bad.expected), std::string::npos)
        << bad.name << ": " << model.error().message;
  }
}

}  // namespace
}  // namespace backplane::local
