// SPDX-License-Identifier: Apache-2.0
// What backends have verified of calls, for as long as somebody may ask. [any-thread]
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace backplane {

struct ReceiptLimits {
  std::uint64_t count_max = 10'000;  // the oldest go first
  std::uint64_t bytes_max = 64 * 1024 * 1024;
  std::uint64_t keep_seconds = 3'600;
};

class ReceiptStore {
 public:
  using Document = std::shared_ptr<const std::string>;  // shared with who is being told

  explicit ReceiptStore(const ReceiptLimits& limits) : limits_(limits) {}
  ReceiptStore(const ReceiptStore&) = delete;
  ReceiptStore& operator=(const ReceiptStore&) = delete;

  void set_limits(const ReceiptLimits& limits);
  // `caller` as caller_of says; a later receipt of the same call by name takes the place.
  void put(std::string_view request_id, std::string_view caller, std::string document,
           std::int64_t now_ns);
  // Null: there is none, or it is another caller's.
  Document find(std::string_view request_id, std::string_view caller, std::int64_t now_ns);

 private:
  struct Entry {
    std::string key;
    Document document;
    std::int64_t put_ns;
  };
  using Entries = std::list<Entry>;
  void remove(Entries::iterator entry);
  void trim(std::int64_t now_ns);

  std::mutex mutex_;  // guards all below
  ReceiptLimits limits_;
  Entries entries_;                                                 // the oldest first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views of their entries' keys
  std::uint64_t bytes_ = 0;
};

}  // namespace backplane
