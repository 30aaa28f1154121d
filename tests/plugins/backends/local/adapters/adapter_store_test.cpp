// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/adapters/adapter_store.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>

#include "plugins/backends/local/adapters/adapter_choice.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"
#include "tests/plugins/backends/local/tiny_model.hpp"

namespace backplane::local {
namespace {

namespace fs = std::filesystem;

class AdapterStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    auto opened = ModelFile::open(tiny_model().save("store_base.gguf"));
    ASSERT_TRUE(opened);
    base_ = std::make_unique<ModelFile>(std::move(*opened));
    AdapterOptions options;
    options.paths["named"] = tiny_adapter(7).save("named.gguf");
    options.folder = folder_;
    options.loaded_max = 2;
    options.idle_ms_max = 1000;
    store_ = std::make_unique<AdapterStore>(options, *base_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void put(const std::string& name, std::uint32_t seed) const {
    fs::rename(tiny_adapter(seed).save("put.gguf"), folder_ + "/" + name);
  }
  std::uint64_t id_of(const std::string& name, std::int64_t now_ms = 0) {
    const auto adapter = store_->get(name, now_ms);
    EXPECT_TRUE(adapter) << adapter.error().message;
    return adapter ? (*adapter)->id() : 0;
  }

  const std::string folder_ =
      testing::TempDir() + "backplane_adapters_" + std::to_string(::getpid());
  std::unique_ptr<ModelFile> base_;
  std::unique_ptr<AdapterStore> store_;
};

TEST_F(AdapterStoreTest, ReadsEachOnce) {
  const std::uint64_t id = id_of("named");
  EXPECT_EQ(id_of("named"), id);
  EXPECT_EQ(store_->loaded(), 1U);
}

TEST_F(AdapterStoreTest, TheFolderIsAsItIsAtTheTime) {
  EXPECT_FALSE(store_->has("late"));
  put("late.gguf", 2);
  EXPECT_TRUE(store_->has("late"));
  EXPECT_EQ(store_->names(), (std::vector<std::string>{"late", "named"}));
  const std::uint64_t first = id_of("late");
  put("late.gguf", 3);
  fs::last_write_time(folder_ + "/late.gguf",
                      fs::last_write_time(folder_ + "/late.gguf") + std::chrono::seconds(5));
  EXPECT_NE(id_of("late"), first) << "a changed file is read again";
  fs::remove(folder_ + "/late.gguf");
  const auto gone = store_->get("late", 0);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kNotFound);
  store_->sweep(0);
  EXPECT_EQ(store_->loaded(), 0U);
}

TEST_F(AdapterStoreTest, AnUnknownNameHearsTheOthers) {
  put("other.gguf", 2);
  const auto found = store_->get("missing", 0);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().type, "MODEL_NOT_FOUND");
  EXPECT_EQ(found.error().http_status, 404U);
  EXPECT_NE(found.error().message.find("named, other"), std::string::npos) << found.error().message;
}

TEST_F(AdapterStoreTest, NamesAreNoWayOut) {
  for (const std::string name : {"../named", "a/b", ".", "..", "", "/etc/passwd", ".hidden"}) {
    EXPECT_FALSE(store_->has(name)) << name;
    EXPECT_FALSE(store_->get(name, 0)) << name;
  }
  EXPECT_FALSE(store_->has(std::string("named\0x", 7)));
}

TEST_F(AdapterStoreTest, TheOneNotUsedForLongestMakesRoom) {
  put("a.gguf", 1);
  put("b.gguf", 2);
  const std::uint64_t first = id_of("a", 1);
  const std::uint64_t second = id_of("b", 2);
  id_of("named", 3);
  EXPECT_EQ(store_->loaded(), 2U);
  EXPECT_EQ(id_of("b", 4), second);
  EXPECT_NE(id_of("a", 5), first);
}

TEST_F(AdapterStoreTest, OnesInUseStay) {
  put("a.gguf", 1);
  put("b.gguf", 2);
  const auto first = store_->get("a", 1), second = store_->get("b", 2);
  const auto third = store_->get("named", 3);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Code::kResourceExhausted);
  EXPECT_GT(third.error().retry_after_ms, 0U);
}

TEST_F(AdapterStoreTest, IdleOnesAreLetGo) {
  put("a.gguf", 1);
  const auto held = store_->get("named", 0);
  id_of("a", 0);
  store_->sweep(1000);
  EXPECT_EQ(store_->loaded(), 2U);
  store_->sweep(1001);
  EXPECT_EQ(store_->loaded(), 1U) << "one that a request has stays";
}

TEST_F(AdapterStoreTest, RequestsChooseByFieldOrByModel) {
  put("a.gguf", 1);
  struct Case {
    const char* body;
    const char* model;
    const char* chosen;  // the end of its path, "" for none, nullptr for an error
    float scale;
  };
  const Case cases[] = {
      {R"({})", "tiny", "", 1},
      {R"({})", "anything", "", 1},
      {R"({"adapter":null})", "anything", "", 1},
      {R"({"adapter":""})", "a", "", 1},
      {R"({"adapter":"a"})", "tiny", "/a.gguf", 1},
      {R"({"adapter":{"name":"a","scale":0.5}})", "tiny", "/a.gguf", 0.5f},
      {R"({"adapter":{"name":"a"}})", "named", "/a.gguf", 1},
      {R"({})", "a", "/a.gguf", 1},
      {R"({})", "tiny:a", "/a.gguf", 1},
      {R"({})", "other:named", "named.gguf", 1},
      {R"({})", "llama3:8b", "", 1},
      {R"({})", "tiny:8b", nullptr, 1},
      {R"({"adapter":"b"})", "tiny", nullptr, 1},
      {R"({"adapter":7})", "tiny", nullptr, 1},
      {R"({"adapter":{"scale":1}})", "tiny", nullptr, 1},
      {R"({"adapter":{"name":"a","scale":1e9}})", "tiny", nullptr, 1},
      {R"({"adapter":{"name":"a","scale":"1"}})", "tiny", nullptr, 1},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.body) + " " + one.model);
    const auto body = boost::json::parse(one.body);
    const auto field = read_adapter_field(body.as_object());
    if (!field) {
      EXPECT_EQ(one.chosen, nullptr);
      EXPECT_EQ(field.error().http_status, 400U);
      continue;
    }
    const auto choice = choose_adapter(*field, one.model, "tiny", *store_, 0);
    ASSERT_EQ(static_cast<bool>(choice), one.chosen != nullptr);
    if (!choice) continue;
    const bool is_none = std::string_view(one.chosen).empty();
    ASSERT_EQ(choice->adapter == nullptr, is_none);
    if (is_none) continue;
    EXPECT_TRUE(choice->adapter->path().ends_with(one.chosen)) << choice->adapter->path();
    EXPECT_EQ(choice->scale, one.scale);
  }
}

TEST_F(AdapterStoreTest, WithoutAdaptersTheFieldIsRefused) {
  AdapterStore closed({}, *base_);
  EXPECT_FALSE(choose_adapter({true, "a", 1}, "tiny", "tiny", closed, 0));
  EXPECT_TRUE(choose_adapter({}, "tiny:a", "tiny", closed, 0));
}

}  // namespace
}  // namespace backplane::local
