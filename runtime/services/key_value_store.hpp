// SPDX-License-Identifier: Apache-2.0
// An in-memory key-value store with expiry, bounded in entries and bytes. [any-thread]
#pragma once

#include <backplane/clock.h>

#include <backplane/result.hpp>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace backplane {

class KeyValueStore {
 public:
  static constexpr std::size_t kKeyBytesMax = 1024;
  static constexpr std::size_t kValueBytesMax = 64 * 1024;

  struct Limits {
    std::size_t entries_max = 1'000'000;
    std::size_t bytes_max = 256 * 1024 * 1024;
  };

  KeyValueStore(const bp_clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  Result<std::string> get(std::string_view key);
  Status put_if_absent(std::string_view key, std::string_view value, std::uint64_t ttl_ms);
  Status compare_and_swap(std::string_view key, std::string_view expected, std::string_view value,
                          std::uint64_t ttl_ms);

 private:
  struct Entry {
    std::string value;
    std::int64_t expires_ns;  // 0: never
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  // The live entry, or end; an expired one is removed on the way.
  Entries::iterator find(std::string_view key);
  void erase(Entries::iterator entry);
  void forget_expiry(Entries::iterator entry);
  void sweep();
  std::int64_t expiry(std::uint64_t ttl_ms) const;

  const bp_clock& clock_;
  const Limits limits_;
  std::mutex mutex_;
  Entries entries_;
  std::multimap<std::int64_t, std::string> by_expiry_;
  std::size_t bytes_ = 0;
};

}  // namespace backplane
