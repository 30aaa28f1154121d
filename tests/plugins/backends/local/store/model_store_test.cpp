// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/model_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace backplane::local {
namespace {

namespace fs = std::filesystem;

class ModelStoreTest : public testing::Test {
 protected:
  ModelStoreTest() : root_(testing::TempDir() + "store-" + std::to_string(getpid())) {
    fs::remove_all(root_);
  }
  ~ModelStoreTest() override { fs::remove_all(root_); }
  // A folder with files of 10 bytes and a manifest of them.
  void put(const std::string& folder, const std::vector<std::string>& files) {
    const auto opened = Folder::open(root_ + "/" + folder, Folder::Missing::kCreate);
    Manifest manifest;
    for (const std::string& file : files) {
      const std::size_t slash = file.rfind('/');
      if (slash != std::string::npos)
        fs::create_directories(root_ + "/" + folder + "/" + file.substr(0, slash));
      ASSERT_TRUE(opened->write_file(file, "0123456789"));
      manifest.put({file, 10, "", 1700000000});
    }
    ASSERT_TRUE(write_manifest(*opened, manifest));
  }
  std::string names() const {
    std::string text;
    for (const StoredModel& model : ModelStore(root_).list()) text += model.name + " ";
    return text;
  }
  Result<StoredModel> find(const std::string& name) const {
    return ModelStore(root_).find(*parse_model_source(name));
  }

  const std::string root_;
};

TEST_F(ModelStoreTest, FilesBecomeModels) {
  put("a/one", {"x-Q4_0.gguf", "sub/y-00001-of-00002.gguf", "sub/y-00002-of-00002.gguf"});
  put("a/two@v1", {"model.safetensors", "config.json"});
  put("b/three", {"notes.txt"});
  EXPECT_EQ(names(), "hf:a/one:sub/y-00001-of-00002.gguf hf:a/one:x-Q4_0.gguf hf:a/two@v1 ");
  EXPECT_EQ(find("hf:a/one:Q4_0")->path, root_ + "/a/one/x-Q4_0.gguf");
  EXPECT_EQ(find("hf:a/one:sub/y-00002-of-00002.gguf")->bytes(), 20U);
  EXPECT_EQ(find("hf:a/two@v1")->path, root_ + "/a/two@v1");
  EXPECT_NE(find("hf:a/one").error().message.find("several models"), std::string::npos);
  EXPECT_NE(find("hf:a/two").error().message.find("backplane model pull hf:a/two"),
            std::string::npos);
}

TEST_F(ModelStoreTest, AModelWithoutAllItsPartsIsNotOne) {
  put("a/one", {"y-00001-of-00002.gguf"});
  EXPECT_EQ(find("hf:a/one").error().code, Code::kNotFound);
  EXPECT_FALSE(ModelStore(root_).list().at(0).is_whole);
}

TEST_F(ModelStoreTest, RemovesAModelAndLeavesTheOthers) {
  put("a/one", {"x-Q4_0.gguf", "sub/y-Q8_0.gguf"});
  const ModelStore store(root_);
  const ModelSource source = *parse_model_source("hf:a/one:Q8_0");
  ASSERT_TRUE(store.remove(source, *store.find(source)));
  EXPECT_FALSE(fs::exists(root_ + "/a/one/sub"));
  EXPECT_EQ(names(), "hf:a/one:x-Q4_0.gguf ");
  ASSERT_TRUE(store.remove(source, *find("hf:a/one")));
  EXPECT_FALSE(fs::exists(root_ + "/a"));
}

TEST_F(ModelStoreTest, AManifestThatLiesLeadsNowhere) {
  put("a/one", {"x.gguf"});
  const auto folder = Folder::open(root_ + "/a/one", Folder::Missing::kError);
  for (const char* text : {"", "[]", "{\"files\":[{\"path\":\"../../x\",\"bytes\":1}]}",
                           "{\"files\":[1]}", "{\"files\":[{\"path\":\"x\",\"bytes\":-1}]}"}) {
    ASSERT_TRUE(folder->write_file(kManifestName, text));
    EXPECT_EQ(names(), "") << text;
  }
}

TEST_F(ModelStoreTest, LinksAreNotFollowed) {
  put("a/one", {"x.gguf"});
  fs::create_directory_symlink(root_ + "/a", root_ + "/b");
  fs::create_symlink(root_ + "/a/one/x.gguf", root_ + "/a/one/link.gguf");
  EXPECT_EQ(names(), "hf:a/one:x.gguf ");
  const auto folder = Folder::open(root_, Folder::Missing::kError);
  EXPECT_FALSE(folder->enter("b/one", Folder::Missing::kError));
  EXPECT_FALSE(folder->has_file("a/one/link.gguf"));
  EXPECT_FALSE(folder->enter("..", Folder::Missing::kError));
  EXPECT_FALSE(folder->enter("a/../a", Folder::Missing::kError));
}

TEST(StorePath, IsWhereTheEnvironmentSays) {
  setenv("BACKPLANE_MODELS", "/models", 1);
  EXPECT_EQ(*default_store_path(), "/models");
  unsetenv("BACKPLANE_MODELS");
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(*default_store_path(), "/data/backplane/models");
  unsetenv("XDG_DATA_HOME");
  setenv("HOME", "/me", 1);
  EXPECT_EQ(*default_store_path(), "/me/.local/share/backplane/models");
  EXPECT_EQ(*find_model_path("some/file.gguf"), "some/file.gguf");
}

}  // namespace
}  // namespace backplane::local
