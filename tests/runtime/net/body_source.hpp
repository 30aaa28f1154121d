// SPDX-License-Identifier: Apache-2.0
// A bp_body_stream whose bytes the test gives bit by bit. All on the loop but what feeds it.
#pragma once

#include <backplane/http.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>

#include "tests/runtime/net/fetch.hpp"

namespace backplane::testing {

class BodySource {
 public:
  explicit BodySource(HttpWorld& world, std::uint64_t size = BP_SIZE_UNKNOWN) : world_(world) {
    stream_.struct_size = sizeof(stream_);
    stream_.size = size;
    stream_.context = this;
    stream_.read = [](void* self, bp_str* out, bp_task ready, void* argument) {
      return static_cast<BodySource*>(self)->read(out, ready, argument);
    };
    stream_.forget = [](void* self) {
      ++static_cast<BodySource*>(self)->forgotten_;
      static_cast<BodySource*>(self)->ready_ = nullptr;
    };
  }

  std::function<void(std::size_t)> on_read;

  const bp_body_stream* stream() const { return &stream_; }

 private:
  template <class Get>
  auto on_loop(Get get) {
    decltype(get()) value{};
    world_.run([&] { value = get(); });
    return value;
  }

 public:
  // [any thread but the loop's]
  void feed(std::string bytes) {
    tell([&] { parts_.push_back(std::move(bytes)); });
  }
  void finish(std::uint32_t how = BP_READ_END) {
    tell([&] { end_ = how; });
  }
  // The same part for ever.
  void feed_endlessly(std::string bytes) {
    tell([&] { endless_ = std::move(bytes); });
  }
  int forgotten() {
    return on_loop([&] { return forgotten_; });
  }
  std::size_t bytes_read() {
    return on_loop([&] { return bytes_read_; });
  }
  bool is_waited_for() {
    return on_loop([&] { return ready_ != nullptr; });
  }

  // On the loop.
  void feed_here(std::string bytes) {
    parts_.push_back(std::move(bytes));
    tell_reader();
  }
  void finish_here() {
    end_ = BP_READ_END;
    tell_reader();
  }

 private:
  std::uint32_t read(bp_str* out, bp_task ready, void* argument) {
    EXPECT_EQ(forgotten_, 0);
    EXPECT_EQ(ready_, nullptr) << "read again without being told";
    last_.clear();  // what was borrowed is gone
    last_.shrink_to_fit();
    if (!endless_.empty() || !parts_.empty()) {
      last_ = parts_.empty() ? endless_ : parts_.front();
      if (!parts_.empty()) parts_.pop_front();
      bytes_read_ += last_.size();
      if (on_read) on_read(last_.size());
      *out = {last_.data(), last_.size()};
      return BP_READ_BYTES;
    }
    if (end_ != BP_READ_WAIT) return end_;
    ready_ = ready;
    argument_ = argument;
    return BP_READ_WAIT;
  }
  void tell(const std::function<void()>& change) {
    world_.run([&] {
      change();
      tell_reader();
    });
  }
  void tell_reader() {
    const bp_task ready = std::exchange(ready_, nullptr);
    if (ready != nullptr) ready(argument_);
  }
  HttpWorld& world_;
  bp_body_stream stream_{};
  std::deque<std::string> parts_;
  std::string endless_, last_;
  std::uint32_t end_ = BP_READ_WAIT;
  bp_task ready_ = nullptr;
  void* argument_ = nullptr;
  int forgotten_ = 0;
  std::size_t bytes_read_ = 0;
};

}  // namespace backplane::testing
