// SPDX-License-Identifier: Apache-2.0
// What a response becomes, one class for each kind of response. Everything goes to the call's
// output; nothing is called once that has ended.
#pragma once

#include "common/call_output.hpp"

#include <string_view>
#include <utility>

namespace backplane::dialect {

class Answer {
 public:
  explicit Answer(CallOutput& output) : output_(output) {}
  virtual ~Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  // The next bytes. What a pause keeps from being written is kept.
  virtual void on_data(std::string_view bytes) = 0;
  // The response is whole. Writes the end, now or after a resume.
  virtual void on_done() = 0;
  // It broke off.
  virtual void on_failed(Error error) { output_.fail(std::move(error)); }
  // The output takes events again.
  virtual void on_resume() {}

 protected:
  CallOutput& output_;
};

}  // namespace backplane::dialect
