// SPDX-License-Identifier: Apache-2.0
// What loading refuses, and how it says so. The messages are part of the contract.
#include "runtime/plugin/catalog.hpp"
#include "runtime/plugin/elf.hpp"
#include "runtime/plugin/preflight.hpp"

#include "tests/runtime/plugin/plugin_folder.hpp"

#include <gtest/gtest.h>

#include <random>

namespace backplane {
namespace {

const std::filesystem::path kBroken = BROKEN_PLUGINS;

const void* no_interface(const bp_host*, bp_str) {
  return nullptr;
}
constexpr bp_host kHost{sizeof(bp_host), BP_ABI_MAJOR, BP_ABI_MINOR, 0,
                        {"test", 4},     nullptr,      &no_interface};

void replace_all(std::string& text, std::string_view word, const std::string& by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    text.replace(at, word.size(), by);
    at += by.size();
  }
}

// "FILE" stands for the path of the plugin, "OWN" for the version of these headers.
std::string with_file(std::string text, const std::filesystem::path& file) {
  replace_all(text, "FILE", file.string());
  replace_all(text, "OWN", std::to_string(BP_ABI_MAJOR) + '.' + std::to_string(BP_ABI_MINOR));
  return text;
}

std::string load_error(const std::filesystem::path& file) {
  std::filesystem::path manifest_path = file;
  manifest_path.replace_extension(".yaml");
  const Result<Manifest> manifest = read_manifest(manifest_path);
  if (!manifest) return manifest.error().message;
  const auto plugin = PluginCatalog::load({*manifest, file, {}}, &kHost);
  return plugin ? "" : plugin.error().message;
}

struct LoadCase {
  const char* name;
  const char* message;
};
void PrintTo(const LoadCase& one, std::ostream* out) {
  *out << one.name;
}
class LoadTest : public testing::TestWithParam<LoadCase> {};

TEST_P(LoadTest, RefusesWithItsMessage) {
  const std::filesystem::path file = kBroken / (std::string(GetParam().name) + ".so");
  EXPECT_EQ(load_error(file), with_file(GetParam().message, file));
}

constexpr LoadCase kLoadCases[] = {
    {"sound", ""},
    {"no_entry",
     "FILE: exports no bp_plugin_entry_v0; build it with bp_add_plugin of "
     "backplane-sdk OWN"},
    {"other_major",
     "FILE: exports bp_plugin_entry_v2; this runtime speaks v0; rebuild it with "
     "backplane-sdk OWN"},
    {"undefined_symbol",
     "FILE: leaves bp_host_print undefined; a plugin links nothing of the "
     "host: ask get_interface, and link with -Wl,-z,defs"},
    {"executable_stack", "FILE: asks for an executable stack; link it with -Wl,-z,noexecstack"},
    {"newer",
     "FILE: needs ABI 0.7, this runtime has OWN (built from backplane-sdk OWN); upgrade "
     "the runtime, or lower REQUIRED_MINOR and rebuild it"},
    {"throws_in_entry",
     "FILE: bp_plugin_entry_v0 threw an exception; no exception may cross the "
     "ABI: make it noexcept"},
    {"entry_fails", "FILE: bp_plugin_entry_v0 failed: this machine has no accelerator"},
    {"null_descriptor", "FILE: bp_plugin_entry_v0 returned OK and no descriptor; let it set *out"},
    {"short_descriptor",
     "FILE: its descriptor has struct_size 16, this runtime needs 72; set it "
     "to sizeof(bp_plugin)"},
    {"other_minor",
     "FILE: built from backplane-sdk 0.9; this runtime speaks ABI OWN; rebuild it "
     "with backplane-sdk OWN"},
    {"no_name", "FILE: its descriptor has no name; set it to BP_PLUGIN_NAME"},
    {"no_version", "FILE: its descriptor's version is not x.y.z; set it to BP_PLUGIN_VERSION"},
    {"no_schema",
     "FILE: its descriptor's schema is empty or above 64 KiB; include "
     "bp_plugin_schema.inc, which holds it"},
    {"no_get_interface",
     "FILE: its descriptor leaves get_interface null; a plugin offers at least "
     "one interface"},
    {"other_name",
     "FILE: says name \"somebody-else\", its manifest says \"other_name\"; build "
     "both with bp_add_plugin"},
    {"other_version",
     "FILE: says version \"9.9.9\", its manifest says \"1.0.0\"; build both with "
     "bp_add_plugin"},
    {"null_table",
     "FILE: is a backend by its manifest, but offers no bp.backend/1; let "
     "get_interface return its table"},
    {"short_table",
     "FILE: bp.backend/1 has struct_size 16, it needs 64; set it to the size of "
     "the struct"},
    {"null_function",
     "FILE: bp.backend/1 leaves submit null; every function of this revision is "
     "required"},
    {"greeter", ""},
    {"no_command_table",
     "FILE: bp.commands/1 is not offered, but its manifest lists \"greet\"; let get_interface "
     "return the table"},
    {"short_command_table",
     "FILE: bp.commands/1 has struct_size 8, it needs 24; set it to the size of the struct"},
    {"short_command",
     "FILE: bp.commands/1 has a command with struct_size 8, it needs 48; set it to "
     "sizeof(bp_command)"},
    {"commands_unlisted",
     "FILE: bp.commands/1 has the commands \"greet\", \"shout\", its manifest says \"greet\"; "
     "name them in COMMANDS of bp_add_plugin"},
    {"command_without_about",
     "FILE: bp.commands/1 says nothing about the command \"shout\"; give it one sentence on one "
     "line, at most 256 bytes"},
    {"command_without_run", "FILE: bp.commands/1 leaves run of the command \"shout\" null"},
    {"command_badly_named",
     "FILE: bp.commands/1 has the command name \"Shout\"; names are of a-z, 0-9 and '-', at most "
     "32, and begin with a letter"},
};
INSTANTIATE_TEST_SUITE_P(Corpus, LoadTest, testing::ValuesIn(kLoadCases),
                         [](const auto& one) { return std::string(one.param.name); });

// From 1.0 on a newer runtime runs what an older SDK built.
TEST(CheckAbi, FollowsThePolicy) {
  struct Row {
    AbiVersion plugin, runtime;
    bool good;
  };
  const Row rows[] = {{{0, 1, 0}, {0, 1, 0}, true},  {{0, 1, 0}, {0, 2, 0}, false},
                      {{0, 2, 0}, {0, 1, 0}, false}, {{1, 0, 0}, {1, 4, 0}, true},
                      {{1, 4, 0}, {1, 1, 0}, true},  {{1, 4, 3}, {1, 1, 0}, false},
                      {{1, 4, 1}, {1, 1, 0}, true},  {{1, 0, 0}, {2, 0, 0}, false}};
  for (const Row& row : rows) {
    EXPECT_EQ(bool(check_abi("x.so", row.plugin, row.runtime)), row.good)
        << row.plugin.major << "." << row.plugin.minor << " on " << row.runtime.major << "."
        << row.runtime.minor;
  }
  EXPECT_EQ(check_abi("plugins/openai.so", {1, 4, 3}, {1, 1, 0}).error().message,
            "plugins/openai.so: needs ABI 1.3, this runtime has 1.1 (built from backplane-sdk "
            "1.4); upgrade the runtime, or lower REQUIRED_MINOR and rebuild it");
}

class FileTest : public testing::Test {
 protected:
  std::filesystem::path make(const std::string& bytes) {
    folder_.write(PluginKind::kBackend, "x.so", bytes);
    return folder_.file(PluginKind::kBackend, "x.so");
  }
  std::string error_of(const std::string& bytes) {
    const auto file = make(bytes);
    const Result<ElfReport> report = read_elf(file);
    std::string message = report ? "" : report.error().message;
    return message.substr(std::min(message.size(), file.string().size()));
  }
  PluginFolder folder_;
  const std::string sound_ = read_text(kBroken / "sound.so");
};

TEST_F(FileTest, NotAnElfFile) {
  const std::string expected = ": not a shared library (no ELF magic); name a plugin's .so file";
  EXPECT_EQ(error_of(""), expected);
  EXPECT_EQ(error_of("#!/bin/sh\n"), expected);
  EXPECT_EQ(error_of("\x7f"
                     "EL"),
            expected);
}

TEST_F(FileTest, AnotherMachine) {
  std::string bytes = sound_;
  bytes[18] = 8;  // e_machine: MIPS
  bytes[19] = 0;
  EXPECT_NE(error_of(bytes).find(": built for another machine (ELF machine 8); this runtime is "
                                 "64-bit"),
            std::string::npos)
      << error_of(bytes);
}

TEST_F(FileTest, AnExecutableOrObject) {
  std::string bytes = sound_;
  bytes[16] = 1;  // e_type: relocatable
  EXPECT_EQ(error_of(bytes), ": not a shared library (ELF type 1); link it with -shared");
}

TEST_F(FileTest, TruncatedAnywhereIsAnErrorOrComplete) {
  EXPECT_EQ(error_of(sound_.substr(0, 200)),
            ": truncated or damaged ELF file (the program headers of its 200 bytes); build or copy "
            "it again");
  for (std::size_t size = 0; size < sound_.size(); size += 97) {
    const std::string message = error_of(sound_.substr(0, size));
    EXPECT_TRUE(size >= 1024 || !message.empty()) << size;
  }
}

TEST_F(FileTest, DamagedBytesNeverCrashTheReader) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t refused = 0;
  for (int round = 0; round < 500; ++round) {
    std::string bytes = sound_;
    for (int i = 0; i < 8; ++i) {
      const std::size_t range = i % 2 == 0 ? 1024 : bytes.size();
      bytes[random() % range] = static_cast<char>(random());
    }
    refused += error_of(bytes).empty() ? 0U : 1U;
  }
  EXPECT_GT(refused, 25U);
}

TEST_F(FileTest, AMissingFileOrAFolderIsNamed) {
  const Result<ElfReport> missing = read_elf(folder_.path() / "none.so");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            (folder_.path() / "none.so").string() + ": cannot be read: No such file or directory");
  const Result<ElfReport> folder = read_elf(folder_.path());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message,
            folder_.path().string() + ": cannot be read: not a regular file");
}

TEST_F(FileTest, ReportSaysWhatTheFileHas) {
  const Result<ElfReport> report = read_elf(kBroken / "more_exports.so");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->entries, std::vector<std::string>{"bp_plugin_entry_v0"});
  for (const char* name : {"extra_one", "extra_two"}) {
    EXPECT_EQ(std::count(report->exports.begin(), report->exports.end(), name), 1) << name;
  }
  EXPECT_FALSE(report->executable_stack);
  EXPECT_NE(std::find(report->needed.begin(), report->needed.end(), "libc.so.6"),
            report->needed.end());
}

}  // namespace
}  // namespace backplane
