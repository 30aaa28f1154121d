// SPDX-License-Identifier: Apache-2.0
// The catalog over folders made of real plugin files: the templates of this tree.
#include "runtime/plugin/catalog.hpp"

#include "tests/runtime/plugin/plugin_folder.hpp"

#include <gtest/gtest.h>

namespace backplane {
namespace {

const void* no_interface(const bp_host*, bp_str) {
  return nullptr;
}
constexpr bp_host kHost{sizeof(bp_host), BP_ABI_MAJOR, BP_ABI_MINOR, 0,
                        {"test", 4},     nullptr,      &no_interface};

const std::filesystem::path kBroken = BROKEN_PLUGINS;

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() { folder_.copy(PluginKind::kBackend, kEchoPlugin, "echo"); }
  std::string error_of(std::string_view uses, PluginKind kind = PluginKind::kBackend) {
    const auto found = PluginCatalog::discover({folder_.path()}).find(kind, uses);
    return found ? "" : found.error().message;
  }
  PluginFolder folder_;
};

TEST_F(CatalogTest, FindsAndLoadsAPlugin) {
  const PluginCatalog catalog = PluginCatalog::discover({folder_.path()});
  ASSERT_EQ(catalog.all().size(), 1U);
  EXPECT_TRUE(catalog.warnings().empty()) << catalog.warnings().front();
  const Result<const PluginInfo*> info = catalog.find(PluginKind::kBackend, "echo@>=0.1");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_TRUE(std::filesystem::exists((*info)->schema_path));
  const auto first = PluginCatalog::load(**info, &kHost);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(std::string((*first)->name.data, (*first)->name.size), "echo");
  const auto second = PluginCatalog::load(**info, &kHost);
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
}

TEST_F(CatalogTest, SaysWhatWasMeant) {
  EXPECT_EQ(error_of("ecko"),
            "no backend plugin \"ecko\"; available are \"echo\"; did you mean \"echo\"?");
  EXPECT_EQ(error_of("vllm"), "no backend plugin \"vllm\"; available are \"echo\"");
  EXPECT_EQ(error_of("echo", PluginKind::kPayment),
            "no payment plugin \"echo\"; it is a backend plugin");
  EXPECT_EQ(error_of("free", PluginKind::kPayment),
            "no payment plugin \"free\"; available are none");
  EXPECT_EQ(error_of("echo@>=7"), "backend plugin \"echo\" is version 0.1.0, wanted >=7 (" +
                                      folder_.file(PluginKind::kBackend, "echo.so").string() +
                                      "); install another version or change uses");
}

TEST_F(CatalogTest, LoadsOnlyAllowedFiles) {
  const PluginCatalog catalog = PluginCatalog::discover({folder_.path()});
  const PluginInfo& info = catalog.all().front();
  const std::string digest = info.manifest.sha256;
  const std::string zeros(64, '0');
  const std::string start = info.path.string() + ": its sha256 " + digest;
  const std::string unnamed =
      start + " is not allowed; if you trust it, add \"echo.so\" to plugins.sha256";
  const auto changed = [&](const std::string& name) {
    return start + " is not that of \"" + name + "\"; if you trust it, correct plugins.sha256";
  };
  struct Row {
    std::map<std::string, std::string, std::less<>> allowed;
    std::string message;
  };
  const Row rows[] = {
      {{}, ""},
      {{{"echo.so", digest}}, ""},
      {{{"backends/echo.so", digest}}, ""},
      {{{"backends/echo.so", digest}, {"echo.so", zeros}}, ""},
      {{{"echo.so", zeros}}, changed("echo.so")},
      {{{"backends/echo.so", zeros}, {"echo.so", digest}}, changed("backends/echo.so")},
      {{{"other.so", digest}}, unnamed},
      {{{"transports/echo.so", digest}}, unnamed},
  };
  for (const Row& row : rows) {
    const auto loaded = PluginCatalog::load(info, &kHost, {row.allowed});
    EXPECT_EQ(loaded ? "" : loaded.error().message, row.message);
    EXPECT_EQ(loaded ? Code::kPermissionDenied : loaded.error().code, Code::kPermissionDenied);
  }
}

TEST_F(CatalogTest, FindsACommandByTheManifests) {
  folder_.copy(PluginKind::kBackend, kBroken / "greeter.so", "greeter");
  const PluginCatalog one = PluginCatalog::discover({folder_.path()});
  const Result<const PluginInfo*> info = one.find_command("greet");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ((*info)->manifest.name, "greeter");
  const Result<const PluginInfo*> missing = one.find_command("greed");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "no command \"greed\"; did you mean \"greet\"?");

  folder_.copy(PluginKind::kBackend, kBroken / "second_greeter.so", "second_greeter");
  const auto both = PluginCatalog::discover({folder_.path()});
  const Result<const PluginInfo*> twice = both.find_command("greet");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message,
            "command \"greet\" is in two plugins, " +
                folder_.file(PluginKind::kBackend, "greeter.so").string() + " and " +
                folder_.file(PluginKind::kBackend, "second_greeter.so").string() +
                "; remove one of them");
}

TEST_F(CatalogTest, NoticesAChangedFile) {
  const PluginCatalog catalog = PluginCatalog::discover({folder_.path()});
  const PluginInfo& info = catalog.all().front();
  folder_.append(PluginKind::kBackend, "echo.so", "x");
  const auto refused = PluginCatalog::load(info, &kHost);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("it was changed after it was built: install it again"),
            std::string::npos)
      << refused.error().message;
}

}  // namespace
}  // namespace backplane
