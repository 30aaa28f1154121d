// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value, or the error that kept it from existing. C++17. Not thread-safe; moves like
// its value. Shared by the SDK's users and the runtime; it never crosses the C boundary itself.
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace backplane {

// Canonical codes, equal to the BP_CODE_* constants of backplane/abi.h (gRPC's numbering).
enum class Code : std::uint32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// What went wrong: `message` is one sentence that names the place and the remedy and is safe to
// show to a client; `type` is the platform's code ("MODEL_NOT_FOUND"), empty for the code's
// default.
struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::string type;
  std::uint32_t http_status = 0;     // 0: the code's default
  std::uint64_t retry_after_ms = 0;  // 0: a retry will not help, or nobody knows when
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& value() {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    assert(*this);
    return *std::get_if<0>(&state_);
  }
  const Error& error() const {
    assert(!*this);
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

struct Done {};
using Status = Result<Done>;
inline Status ok() {
  return Done{};
}

inline Error invalid_argument(std::string message) {
  return {Code::kInvalidArgument, std::move(message), {}, 0, 0};
}
inline Error internal_error(std::string message) {
  return {Code::kInternal, std::move(message), {}, 0, 0};
}

}  // namespace backplane
