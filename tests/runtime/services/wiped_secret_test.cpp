// SPDX-License-Identifier: Apache-2.0
// A secret leaves nothing behind: no block that is freed while one is watched for still holds it.
#include "runtime/services/instance_host.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <backplane/plugin.hpp>
#include <cstdlib>
#include <new>

namespace {

// Not in a literal a string could be made of by chance; watched while `watching`.
constexpr std::string_view kSecret = "sk-0123456789-a-secret-that-is-longer-than-a-small-string";
std::atomic<bool> watching{false};
std::atomic<int> found{0};

void free_watched(void* block) noexcept {
  if (block != nullptr && watching.load()) {
    const std::string_view bytes(static_cast<const char*>(block), malloc_usable_size(block));
    if (bytes.find(kSecret.substr(8)) != std::string_view::npos) ++found;
  }
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* const block = std::calloc(1, size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  free_watched(block);
}
void operator delete(void* block, std::size_t) noexcept {
  free_watched(block);
}

namespace backplane::test {
namespace {

class OneSecret final : public SecretSource {
 public:
  const std::string* find(std::string_view) const override { return &value_; }

 private:
  const std::string value_{kSecret};
};

TEST(WipedSecret, NothingThatIsFreedHoldsIt) {
  const OneSecret secrets;
  SharedServices shared;
  shared.secrets = &secrets;
  const InstanceHost host("backends.a", shared);
  const auto* table = Host(host.table()).find<bp_secrets>(BP_SECRETS_ID);
  watching.store(true);
  auto control = std::make_unique<std::string>(kSecret);
  control.reset();
  EXPECT_EQ(found.exchange(0), 1) << "the watch itself works";
  bp_buffer out{};
  ASSERT_EQ(table->get(table->context, str("secret:backends.a.key"), &out, nullptr), BP_CODE_OK);
  EXPECT_EQ(view(out), kSecret);
  out.release(out.owner);
  watching.store(false);
  EXPECT_EQ(found.load(), 0);
}

}  // namespace
}  // namespace backplane::test
