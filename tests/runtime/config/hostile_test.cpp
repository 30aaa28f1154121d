// SPDX-License-Identifier: Apache-2.0
// Files nobody would write on purpose: too large, too many errors, random damage.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "runtime/config/document.hpp"
#include "runtime/config/explain.hpp"
#include "runtime/config/include.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/text_file.hpp"
#include "tests/runtime/config/case_file.hpp"
#include "tests/runtime/config/fake_schemas.hpp"
#include "tests/runtime/config/folder.hpp"

namespace backplane::config {
namespace {

constexpr const char* kSecret = "sk-unmistakable-0123456789";
constexpr const char* kTransport =
    "transports: {http: {uses: web, settings: {listen: \"127.0.0.1:1\"}}}\n";

LoadResult load_text(const Folder& folder, const std::string& text) {
  folder.write("deploy.yaml", text);
  LoadOptions options;
  options.environment = [](const std::string&) { return std::optional<std::string>(kSecret); };
  return load(folder.file("deploy.yaml"), FakeSchemas(), options);
}

TEST(Hostile, FilesAreBounded) {
  const Folder folder;
  const LoadResult result = load_text(folder, std::string(kDocumentMaxBytes + 1, '#'));
  EXPECT_EQ(format(result.errors),
            folder.file("deploy.yaml") + ": is larger than 1048576 bytes; split it\n");
  EXPECT_TRUE(load_text(folder, kTransport + std::string(kDocumentMaxBytes - 1000, '#')));
}

TEST(Hostile, FoldersAndDevicesAreNoFiles) {
  const Folder folder;
  folder.write("sub/x", "");
  EXPECT_NE(format(load(folder.file("sub"), FakeSchemas()).errors).find("is a directory"),
            std::string::npos);
  EXPECT_NE(format(load("/dev/zero", FakeSchemas()).errors).find("is not a regular file"),
            std::string::npos);
}

TEST(Hostile, ErrorsAreBounded) {
  const Folder folder;
  std::string text = kTransport;
  text += "log:\n";
  for (int i = 0; i < 500; ++i) {
    text += "  key" + std::to_string(i) + ": 1\n";
  }
  const LoadResult result = load_text(folder, text);
  ASSERT_EQ(result.errors.size(), kDiagnosticsMax + 1);
  EXPECT_EQ(result.errors.back().message, "there is more; the list is cut here");
}

TEST(Hostile, ManyKeysStayCheap) {
  const Folder folder;
  std::string text = std::string(kTransport) + "extra:\n";
  for (std::size_t i = 0; i < kNodesMax - 100; ++i) {
    text += " k" + std::to_string(i) + ": 1\n";
  }
  EXPECT_EQ(load_text(folder, text).errors.size(), 1u);
}

TEST(Hostile, IncludedFilesAreBounded) {
  const Folder folder;
  for (std::size_t i = 0; i <= kIncludedFilesMax; ++i) {
    folder.write("more/" + std::to_string(i) + ".yaml", "log: {}\n");
  }
  const LoadResult result = load_text(folder, std::string(kTransport) + "include: [more/*.yaml]\n");
  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_EQ(result.errors[0].message, "more than 256 files in one deployment");
}

// The files of the cases; those that load are listed often enough to be half of all.
std::vector<std::string> sample_texts(const Folder& folder) {
  std::vector<std::string> good;
  std::vector<std::string> bad;
  for (const auto& entry : std::filesystem::directory_iterator(CASES_FOLDER)) {
    for (const Case& item : read_cases(entry.path().string())) {
      if (!item.files.empty()) {
        const std::string& text = item.files.front().second;
        (load_text(folder, text) ? good : bad).push_back(text);
      }
    }
  }
  std::sort(good.begin(), good.end());
  std::sort(bad.begin(), bad.end());
  std::vector<std::string> texts = bad;
  while (texts.size() < 2 * bad.size()) {
    texts.insert(texts.end(), good.begin(), good.end());
  }
  return texts;
}

class Damage {
 public:
  Damage(std::uint32_t seed, std::vector<std::string> texts)
      : random_(seed), texts_(std::move(texts)) {}

  std::string next() {
    std::string text = pick(texts_);
    for (std::size_t i = 0, count = 1 + below(3); i < count; ++i) {
      damage(text);
    }
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  static void put(std::string& text, std::size_t at, char c) {
    if (at < text.size()) {
      text[at] = c;
    }
  }

  void damage(std::string& text) {
    static const std::vector<std::string> kPieces = {"{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     ": ",
                                                     "- ",
                                                     "\n",
                                                     "\n  ",
                                                     "\t",
                                                     "\"",
                                                     "'",
                                                     "#",
                                                     "&a ",
                                                     "*a",
                                                     "!",
                                                     "|",
                                                     ">",
                                                     "? ",
                                                     "<<: ",
                                                     "%",
                                                     "---\n",
                                                     "\xff",
                                                     "\xc3\xa9",
                                                     "~",
                                                     "null",
                                                     "1e999",
                                                     "-",
                                                     "0x",
                                                     "{env: A}",
                                                     "{file: b}",
                                                     "include: [\"*\"]\n",
                                                     std::string(1, '\0')};
    const std::size_t at = below(text.size() + 1);
    switch (below(10)) {
      case 0:
        text.insert(at, pick(kPieces));
        return;
      case 1:
        text.erase(at, 1 + below(10));
        return;
      case 2:
        text = text.substr(0, at);
        return;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(40)));
        return;
      case 4:
        put(text, at, static_cast<char>(below(256)));
        return;
      default:
        put(text, at, "aeiou019-._ "[below(12)]);
    }
  }

  std::mt19937 random_;
  std::vector<std::string> texts_;
};

void expect_places(const LoadResult& result) {
  EXPECT_NE(result.deployment.has_value(), !result.errors.empty());
  for (const auto* list : {&result.errors, &result.warnings}) {
    for (const Diagnostic& diagnostic : *list) {
      EXPECT_FALSE(diagnostic.position.file.empty());
      EXPECT_GE(diagnostic.position.line, 1) << format(diagnostic);
      EXPECT_GE(diagnostic.position.column, 1) << format(diagnostic);
      EXPECT_FALSE(diagnostic.message.empty());
    }
  }
}

TEST(Hostile, DamagedFilesGiveErrorsWithPlaces) {
  const char* given = std::getenv("BACKPLANE_SEED");
  const std::uint32_t seed = given ? static_cast<std::uint32_t>(std::stoul(given)) : 20'260'101u;
  SCOPED_TRACE("BACKPLANE_SEED=" + std::to_string(seed));
  const Folder folder;
  Damage damage(seed, sample_texts(folder));
  int loaded = 0;
  for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) {
    const std::string text = damage.next();
    SCOPED_TRACE("round " + std::to_string(i) + "\n" + text);
    const LoadResult result = load_text(folder, text);
    expect_places(result);
    if (result) {
      ++loaded;
      for (const PluginInstance& backend : result.deployment->backends) {
        EXPECT_EQ(backend.settings.find("\"api_key\":\"" + std::string(kSecret)),
                  std::string::npos);
      }
      EXPECT_FALSE(explain(*result.deployment).empty());
    }
  }
  EXPECT_GT(loaded, 20);
}

TEST(Hostile, SecretsAppearNowhere) {
  const Folder folder;
  const std::string api_key = "settings: {api_key: {env: KEY}";
  const std::string tails[] = {"}", ", stop: 3}", ", api_kye: 1}", ", headers: []}"};
  for (const std::string& tail : tails) {
    const std::string text = std::string(kTransport) + "backends: {a: {uses: cloud, " + api_key +
                             tail + "}}\nmodels: {m: {routes: [{backend: a}]}}\n";
    const LoadResult result = load_text(folder, text);
    std::string shown = format(result.errors) + format(result.warnings);
    if (result) {
      shown += explain(*result.deployment) + *explain_model(*result.deployment, "m");
      shown += result.deployment->backends[0].settings;
    }
    EXPECT_EQ(shown.find(kSecret), std::string::npos) << shown;
  }
}

}  // namespace
}  // namespace backplane::config
