// SPDX-License-Identifier: Apache-2.0
// Whatever a class throws, its C functions return a code: no exception crosses.
#include <backplane/plugin.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace backplane {
namespace {

const void* no_interface(const bp_host*, bp_str) {
  return nullptr;
}
constexpr bp_host kHost{sizeof(bp_host), BP_ABI_MAJOR, BP_ABI_MINOR, 0,
                        {"test", 4},     nullptr,      &no_interface};

struct NotAnException {};

[[noreturn]] void throw_one(std::string_view settings) {
  if (settings == "odd") throw NotAnException{};
  throw std::runtime_error("no luck");
}

// Made of settings that say what it does: "throw" and "odd" in create, the rest in every function.
template <class Base>
class Thrower : public Base {
 public:
  explicit Thrower(std::string_view settings) : settings_(settings) {}
  template <class Class>
  static Result<std::unique_ptr<Class>> make(const InstanceOptions& options) {
    if (options.settings == "throw" || options.settings == "odd") throw_one(options.settings);
    if (options.settings == "refuse") return invalid_argument("settings: refused");
    return std::make_unique<Class>(options.settings);
  }
  Status start() override { throw_one(settings_); }
  void drain(std::int64_t) override { throw_one(settings_); }
  void stop() override { throw_one(settings_); }
  std::string describe() override { throw_one(settings_); }

 private:
  std::string settings_;
};

class ThrowingBackend final : public Thrower<Backend> {
 public:
  using Thrower::Thrower;
  static Result<std::unique_ptr<ThrowingBackend>> create(Host, const InstanceOptions& options) {
    return make<ThrowingBackend>(options);
  }
  Result<Call*> submit(const bp_request&, const bp_sink&) override { throw_one({}); }
};

class ThrowingPayment final : public Thrower<Payment> {
 public:
  using Thrower::Thrower;
  static Result<std::unique_ptr<ThrowingPayment>> create(Host, const InstanceOptions& options) {
    return make<ThrowingPayment>(options);
  }
  Status authorize(const bp_charge&, const bp_decision_sink&) override { throw_one({}); }
  void settle(const bp_settlement&) override { throw_one({}); }
  void release(std::string_view, std::uint64_t) override { throw_one({}); }
};

class ThrowingTransport final : public Thrower<Transport> {
 public:
  using Thrower::Thrower;
  static Result<std::unique_ptr<ThrowingTransport>> create(Host, const InstanceOptions& options) {
    return make<ThrowingTransport>(options);
  }
};

template <class Table>
class TrampolineTest : public testing::Test {
 protected:
  static constexpr const auto& kTable = Table::kTable;

  std::uint32_t create(std::string_view settings) {
    const bp_instance_options options{sizeof(options), 0, str("x"), str(settings)};
    return kTable.create(&kHost, &options, &self_, &error_);
  }
  void expect_internal(std::uint32_t code, const char* message = "unexpected: no luck") {
    EXPECT_EQ(code, BP_CODE_INTERNAL);
    EXPECT_EQ(error_.code, BP_CODE_INTERNAL);
    EXPECT_STREQ(error_.message, message);
    error_ = {};
  }
  void* self_ = nullptr;
  bp_error error_{};
};

using Tables =
    testing::Types<sdk::BackendTable<ThrowingBackend>, sdk::PaymentTable<ThrowingPayment>,
                   sdk::TransportTable<ThrowingTransport>>;
TYPED_TEST_SUITE(TrampolineTest, Tables);

TYPED_TEST(TrampolineTest, CreateTranslatesWhatIsThrown) {
  this->expect_internal(this->create("throw"));
  EXPECT_EQ(this->create("odd"), BP_CODE_INTERNAL);
  EXPECT_EQ(this->self_, nullptr);
}

TYPED_TEST(TrampolineTest, CreateHandsOnARefusal) {
  EXPECT_EQ(this->create("refuse"), BP_CODE_INVALID_ARGUMENT);
  EXPECT_STREQ(this->error_.message, "settings: refused");
  EXPECT_EQ(this->self_, nullptr);
}

TYPED_TEST(TrampolineTest, LifeTranslatesWhatIsThrown) {
  ASSERT_EQ(this->create(""), BP_CODE_OK);
  this->expect_internal(this->kTable.start(this->self_, &this->error_));
  bp_buffer out{};
  this->expect_internal(this->kTable.describe(this->self_, &out, &this->error_));
  EXPECT_EQ(out.data, nullptr);
  EXPECT_EQ(this->kTable.start(this->self_, nullptr), BP_CODE_INTERNAL);
  this->kTable.drain(this->self_, 0);
  this->kTable.stop(this->self_);
  this->kTable.destroy(this->self_);
}

TEST(BackendTrampoline, SubmitTranslatesWhatIsThrown) {
  ThrowingBackend backend("");
  bp_error error{};
  bp_call* call = nullptr;
  const bp_request request{};
  const bp_sink sink{};
  constexpr const bp_backend& kTable = sdk::BackendTable<ThrowingBackend>::kTable;
  EXPECT_EQ(kTable.submit(&backend, &request, &sink, &call, &error), BP_CODE_INTERNAL);
  EXPECT_STREQ(error.message, "unexpected: no luck");
  EXPECT_EQ(call, nullptr);
}

TEST(PaymentTrampoline, NothingItThrowsCrosses) {
  ThrowingPayment payment("");
  bp_error error{};
  const bp_charge charge{};
  const bp_decision_sink sink{};
  const bp_settlement settlement{};
  constexpr const bp_payment& kTable = sdk::PaymentTable<ThrowingPayment>::kTable;
  EXPECT_EQ(kTable.authorize(&payment, &charge, &sink, &error), BP_CODE_INTERNAL);
  EXPECT_STREQ(error.message, "unexpected: no luck");
  kTable.settle(&payment, &settlement);
  kTable.release(&payment, {}, 7);
}

}  // namespace
}  // namespace backplane
