// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/discovery.hpp"

#include "tests/runtime/plugin/plugin_folder.hpp"

#include <gtest/gtest.h>

namespace backplane {
namespace {

constexpr PluginKind kBackend = PluginKind::kBackend;

std::string manifest_text(const std::string& name, const std::string& version = "1.0.0") {
  return "name: \"" + name + "\"\nkind: backend\ninterface: bp.backend/1\nversion: \"" + version +
         "\"\nabi: {major: 0, minor: 1, required_minor: 0}\nsha256: \"" + std::string(64, 'a') +
         "\"\nschema: \"" + name + ".schema.json\"\n";
}

// Discovery reads manifests only, so a file of any content stands for a library.
void add_plugin(const PluginFolder& folder, const std::string& name,
                const std::string& version = "1.0.0") {
  folder.write(kBackend, name + ".so", "");
  folder.write(kBackend, name + ".yaml", manifest_text(name, version));
}

TEST(DiscoverPlugins, ListsThemByKindAndName) {
  const PluginFolder folder;
  for (const char* name : {"zeta", "alpha", "null", "yes"}) add_plugin(folder, name);
  folder.copy(
      PluginKind::kPayment,
      std::filesystem::path(BACKPLANE_BINARY_DIR) / "lib/backplane/plugins/payments/free.so",
      "free");
  const Discovery found = discover_plugins({folder.path()});
  std::string names;
  for (const PluginInfo& info : found.plugins) names += info.manifest.name + " ";
  EXPECT_EQ(names, "alpha null yes zeta free ");
  EXPECT_TRUE(found.warnings.empty()) << found.warnings.front();
}

TEST(DiscoverPlugins, TheFirstFolderOfThePathWins) {
  const PluginFolder first;
  const PluginFolder second;
  add_plugin(first, "echo", "1.0.0");
  add_plugin(second, "echo", "2.0.0");
  const Discovery found = discover_plugins({first.path(), second.path(), first.path()});
  ASSERT_EQ(found.plugins.size(), 1U);
  EXPECT_EQ(found.plugins.front().manifest.version, "1.0.0");
  ASSERT_EQ(found.warnings.size(), 1U);
  EXPECT_EQ(found.warnings.front(), second.file(kBackend, "echo.so").string() +
                                        ": is not used: backend \"echo\" 1.0.0 comes earlier in "
                                        "the search path, as " +
                                        first.file(kBackend, "echo.so").string());
}

TEST(DiscoverPlugins, WarnsOfWhatItPassesOver) {
  const PluginFolder folder;
  folder.write(kBackend, "bare.so", "");
  folder.write(kBackend, "lost.yaml", manifest_text("lost"));
  folder.write(kBackend, "other.so", "");
  folder.write(kBackend, "other.yaml", manifest_text("another"));
  folder.write(PluginKind::kPayment, "echo.so", "");
  folder.write(PluginKind::kPayment, "echo.yaml", manifest_text("echo"));
  folder.write(kBackend, "README", "not a plugin");
  const Discovery found = discover_plugins({folder.path(), folder.path() / "nowhere"});
  EXPECT_TRUE(found.plugins.empty());
  const std::vector<std::string> expected{
      folder.file(kBackend, "bare.so").string() +
          ": has no manifest bare.yaml; build it with bp_add_plugin, which writes one",
      folder.file(kBackend, "lost.yaml").string() + ": there is no " +
          folder.file(kBackend, "lost.so").string(),
      folder.file(kBackend, "other.yaml").string() +
          ": name: expected \"other\" as the file is called, found \"another\"",
      folder.file(PluginKind::kPayment, "echo.yaml").string() +
          ": kind: a backend does not belong in payments/"};
  EXPECT_EQ(found.warnings, expected);
}

TEST(DiscoverPlugins, ReadsABoundedNumberOfFiles) {
  const PluginFolder folder;
  for (std::size_t i = 0; i <= kFilesPerFolderMax; ++i) {
    folder.write(kBackend, "file" + std::to_string(i), "");
  }
  const Discovery found = discover_plugins({folder.path()});
  ASSERT_EQ(found.warnings.size(), 1U);
  EXPECT_NE(found.warnings.front().find("has more than 1024 files"), std::string::npos);
}

TEST(PluginSearchPath, PutsTheConfiguredFoldersFirst) {
  const auto path = plugin_search_path({"/a", "b"});
  ASSERT_GE(path.size(), 3U);
  EXPECT_EQ(path[0], "/a");
  EXPECT_EQ(path[1], "b");
  for (std::size_t i = 2; i < path.size(); ++i) EXPECT_TRUE(path[i].is_absolute()) << path[i];
}

struct ManifestCase {
  const char* what;
  std::string text;
  const char* message;  // after the path
};
class ManifestTest : public testing::TestWithParam<ManifestCase> {};

std::string with(const std::string& from, const std::string& to) {
  std::string text = manifest_text("echo");
  return text.replace(text.find(from), from.size(), to);
}

TEST_P(ManifestTest, RefusesNamingThePlace) {
  const PluginFolder folder;
  folder.write(kBackend, "echo.yaml", GetParam().text);
  const auto file = folder.file(kBackend, "echo.yaml");
  const Result<Manifest> manifest = read_manifest(file);
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().message, file.string() + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Bad, ManifestTest,
    testing::Values(
        ManifestCase{"empty", "", ": expected a mapping of keys"},
        ManifestCase{"sequence", "- a\n", ": expected a mapping of keys"},
        ManifestCase{"syntax", "name: [\n", ":2: is not YAML: end of sequence flow not found"},
        ManifestCase{"no_name", with("name: \"echo\"\n", ""), ":1: name: expected a text"},
        ManifestCase{"null_name", with("\"echo\"", "null"), ":1: name: expected a text"},
        ManifestCase{"unknown_key", with("schema:", "sechma:"),
                     ":7: unknown key \"sechma\"; the keys are those bp_add_plugin writes"},
        ManifestCase{"twice", manifest_text("echo") + "kind: backend\n",
                     ":8: key \"kind\" is given twice"},
        ManifestCase{"kind", with("kind: backend", "kind: engine"),
                     ":2: kind: expected backend, transport or payment, found \"engine\""},
        ManifestCase{"abi", with("{major: 0, minor: 1, required_minor: 0}", "\"0.1\""),
                     ":1: abi: expected {major, minor, required_minor}"},
        ManifestCase{"abi_minor", with("minor: 1", "minor: -1"),
                     ":5: abi.minor: expected a number"},
        ManifestCase{"version", with("1.0.0", "new"), ":4: version: expected x.y.z"},
        ManifestCase{"sha256", with("aaaa", "AAAA"), ":6: sha256: expected 64 hexadecimal digits"},
        ManifestCase{"schema", with("echo.schema.json", "../x.json"),
                     ":7: schema: expected a file name in the same folder"},
        ManifestCase{"commands", manifest_text("echo") + "commands: greet\n",
                     ":8: commands: expected a list of at most 64 names"},
        ManifestCase{"command_name", manifest_text("echo") + "commands: [greet, Shout]\n",
                     ":8: commands: expected names of a-z, 0-9 and '-' that begin with a letter"},
        ManifestCase{"command_twice", manifest_text("echo") + "commands: [greet, greet]\n",
                     ":8: commands: \"greet\" is given twice"},
        ManifestCase{"big", std::string(kManifestBytesMax + 1, '#'),
                     ": has 16385 bytes; at most 16384 are read"},
        ManifestCase{"deep", "name: " + std::string(8000, '['), ":1: is not YAML: bad file"}),
    [](const auto& one) { return std::string(one.param.what); });

}  // namespace
}  // namespace backplane
