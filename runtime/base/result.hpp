// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value, or the error that kept it from existing. Not thread-safe; moves like its value.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace backplane {

// What went wrong, in one sentence that names the place and the remedy. `code` is one of the
// BP_CODE_* constants of backplane/abi.h; it decides the HTTP status at the edge.
struct Error {
  std::string message;
  unsigned code = 13;  // BP_CODE_INTERNAL
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
inline Status ok() { return Done{}; }

}  // namespace backplane
