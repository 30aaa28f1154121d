// SPDX-License-Identifier: Apache-2.0
// Names that people type and names that servers send: sources, paths, parts, lists of files.
#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/backends/local/store/file_choice.hpp"
#include "plugins/backends/local/store/hub_listing.hpp"
#include "plugins/backends/local/store/model_source.hpp"
#include "plugins/backends/local/store/split_file.hpp"

namespace backplane::local {
namespace {

TEST(ModelSource, ReadsItsParts) {
  const auto source = parse_model_source("hf:some-org/Model.1_B@refs/pr/3:sub/a-Q4_0.gguf");
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->organization, "some-org");
  EXPECT_EQ(source->repository, "Model.1_B");
  EXPECT_EQ(source->revision, "refs/pr/3");
  EXPECT_EQ(source->file, "sub/a-Q4_0.gguf");
  EXPECT_EQ(source->folder(), "some-org/Model.1_B@refs%2Fpr%2F3");
  EXPECT_EQ(source->text(), "hf:some-org/Model.1_B@refs/pr/3:sub/a-Q4_0.gguf");
  EXPECT_EQ(source_of_folder(source->folder())->revision, "refs/pr/3");
}

TEST(ModelSource, TheDefaultRevisionIsNotNamed) {
  const auto source = parse_model_source("hf:a/b");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->revision, "main");
  EXPECT_EQ(source->folder(), "a/b");
  EXPECT_EQ(source->text(), "hf:a/b");
}

TEST(ModelSource, RefusesWhatNamesNothing) {
  for (const char* text : {"",          "a/b",         "hf:",       "hf:a",         "hf:/b",
                           "hf:a/",     "hf:a/b/c",    "hf:../b",   "hf:a/..",      "hf:a/.b",
                           "hf:a/b@",   "hf:a/b@../x", "hf:a/b@/x", "hf:a/b@x//y",  "hf:a/b:../x",
                           "hf:a/b:/x", "hf:a b/c",    "hf:-a/b",   "hf:a/b@x%2Fy", "hf:a/b:"}) {
    EXPECT_FALSE(parse_model_source(text)) << text;
  }
}

TEST(RemotePath, StaysInItsFolder) {
  for (const char* path : {"a", "a.gguf", "a/b/c.gguf", "with space", "a..b", "\xc3\xa9.gguf"}) {
    EXPECT_TRUE(check_remote_path(path)) << path;
  }
  for (const std::string& path :
       {std::string(), std::string("/a"), std::string("a//b"), std::string("a/"), std::string(".."),
        std::string("."), std::string("a/../b"), std::string("a\\b"), std::string("a\nb"),
        std::string("a\0b", 3), std::string("x.part"), std::string("x.pieces"),
        std::string(".backplane.json"), std::string("a/.backplane.lock"), std::string(2000, 'a'),
        std::string("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r")}) {
    EXPECT_FALSE(check_remote_path(path)) << path;
  }
}

TEST(SplitFile, KnowsTheNamesOfParts) {
  const auto part = parse_split_file("Q8/big-00002-of-00010.gguf");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->base, "Q8/big");
  EXPECT_EQ(part->number, 2U);
  EXPECT_EQ(part->count, 10U);
  EXPECT_EQ(split_file_name(*part), "Q8/big-00002-of-00010.gguf");
  for (const char* path : {"big.gguf", "big-00003-of-00002.gguf", "big-00000-of-00002.gguf",
                           "-00001-of-00002.gguf", "big-0000x-of-00002.gguf", ""}) {
    EXPECT_FALSE(parse_split_file(path)) << path;
  }
}

TEST(HubListing, ReadsFilesOfBothKinds) {
  std::vector<RemoteFile> files;
  const std::string sha256(64, 'a');
  const std::string blob(40, 'b');
  const auto status = read_listing_page(
      R"([{"type":"directory","path":"sub","oid":"x"},)"
      R"({"type":"file","path":"sub/a.gguf","size":134,"oid":"c","lfs":{"oid":")" +
          sha256 + R"(","size":5000000000}},{"type":"file","path":"config.json","size":7,"oid":")" +
          blob + R"("}])",
      files);
  ASSERT_TRUE(status) << status.error().message;
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, "sub/a.gguf");
  EXPECT_EQ(files[0].bytes, 5'000'000'000U);
  EXPECT_EQ(files[0].sha256, sha256);
  EXPECT_EQ(files[1].git_blob, blob);
}

TEST(HubListing, RefusesWhatCannotBe) {
  for (const char* page :
       {"", "{}", "[1]", "[", R"([{"type":"file"}])", R"([{"type":"file","path":"a"}])",
        R"([{"type":"file","path":"../a","size":1}])", R"([{"type":"file","path":"a","size":-1}])",
        R"([{"type":"file","path":"a","size":99999999999999999}])",
        R"([{"type":"file","path":"a","size":1e3}])",
        R"([{"type":"file","path":"a","size":1,"lfs":{"oid":"zz","size":1}}])",
        R"([{"type":"file","path":"a","size":1,"lfs":{"size":1}}])"}) {
    std::vector<RemoteFile> files;
    EXPECT_FALSE(read_listing_page(page, files)) << page;
  }
}

TEST(HubListing, FindsTheNextPage) {
  EXPECT_EQ(next_page("<http://a/b?c=1>; rel=\"next\""), "http://a/b?c=1");
  EXPECT_EQ(next_page("<http://a/1>; rel=\"prev\", <http://a/2>; rel=\"next\""), "http://a/2");
  for (const char* link : {"", "<", "<a", "a; rel=\"next\"", "<a>; rel=\"last\"", ">,<"}) {
    EXPECT_EQ(next_page(link), "") << link;
  }
}

struct Choice {
  std::string file;
  std::vector<std::string> paths;  // empty: an error
};

TEST(FileChoice, ByPathByTagAndByItself) {
  const std::vector<std::string> paths = {"README.md",
                                          "a-Q4_K.gguf",
                                          "a-Q4_K_M.gguf",
                                          "a.Q8_0.gguf",
                                          "big/a-f16-00001-of-00002.gguf",
                                          "big/a-f16-00002-of-00002.gguf",
                                          "lost-Q2_K-00001-of-00002.gguf",
                                          "mmproj-Q8_0.gguf",
                                          "x-Q5_0.gguf",
                                          "y-Q5_0.gguf"};
  std::vector<RemoteFile> all;
  for (const std::string& path : paths) all.push_back({path, 1, "", ""});
  const std::vector<std::string> both = {paths[4], paths[5]};
  for (const Choice& choice : std::vector<Choice>{{"README.md", {"README.md"}},
                                                  {"Q4_K_M", {"a-Q4_K_M.gguf"}},
                                                  {"q4_k", {"a-Q4_K.gguf"}},
                                                  {"Q8_0", {"a.Q8_0.gguf"}},
                                                  {"F16", both},
                                                  {paths[5], both},
                                                  {"", {"a-Q4_K_M.gguf"}},
                                                  {"Q5_0", {}},
                                                  {"Q2_K", {}},
                                                  {"Q4", {}},
                                                  {"Q6_K", {}}}) {
    const auto files = choose_files(all, choice.file);
    ASSERT_EQ(static_cast<bool>(files), !choice.paths.empty()) << choice.file;
    if (!files) continue;
    std::vector<std::string> found;
    for (const RemoteFile& file : *files) found.push_back(file.path);
    EXPECT_EQ(found, choice.paths) << choice.file;
  }
}

TEST(FileChoice, TensorsBeforeOthersAndOnlyTheirOwn) {
  std::vector<RemoteFile> all;
  for (const char* path : {"config.json", "consolidated.safetensors", "model.safetensors",
                           "sub/model.safetensors", "tokenizer.json", "a.gguf", "notes.txt"}) {
    all.push_back({path, 1, "", ""});
  }
  const auto files = choose_files(all, "");
  ASSERT_TRUE(files);
  std::string paths;
  for (const RemoteFile& file : *files) paths += file.path + " ";
  EXPECT_EQ(paths, "config.json model.safetensors tokenizer.json ");
}

}  // namespace
}  // namespace backplane::local
