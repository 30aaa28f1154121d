// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/key_value_store.hpp"

namespace backplane {
namespace {

Error no_entry() {
  return {Code::kNotFound, "there is no such key", {}, 0, 0};
}

Error full() {
  return {Code::kResourceExhausted, "the key-value store is full", {}, 0, 0};
}

Status check_sizes(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > KeyValueStore::kKeyBytesMax) {
    return invalid_argument("a key has 1 to 1024 bytes");
  }
  if (value.size() > KeyValueStore::kValueBytesMax) {
    return invalid_argument("a value has at most 64 KiB");
  }
  return ok();
}

}  // namespace

Result<std::string> KeyValueStore::get(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto entry = find(key);
  if (entry == entries_.end()) return no_entry();
  return entry->second.value;
}

Status KeyValueStore::put_if_absent(std::string_view key, std::string_view value,
                                    std::uint64_t ttl_ms) {
  if (const Status sizes = check_sizes(key, value); !sizes) return sizes;
  const std::lock_guard lock(mutex_);
  if (find(key) != entries_.end()) {
    return Error{Code::kAlreadyExists, "the key exists", {}, 0, 0};
  }
  sweep();
  const std::size_t size = key.size() + value.size();
  if (entries_.size() >= limits_.entries_max || bytes_ + size > limits_.bytes_max) {
    return full();
  }
  const std::int64_t expires_ns = expiry(ttl_ms);
  entries_.emplace(key, Entry{std::string(value), expires_ns});
  if (expires_ns != 0) by_expiry_.emplace(expires_ns, key);
  bytes_ += size;
  return ok();
}

Status KeyValueStore::compare_and_swap(std::string_view key, std::string_view expected,
                                       std::string_view value, std::uint64_t ttl_ms) {
  if (const Status sizes = check_sizes(key, value); !sizes) return sizes;
  const std::lock_guard lock(mutex_);
  sweep();  // now: after find it might take this entry
  const auto entry = find(key);
  if (entry == entries_.end()) return no_entry();
  if (entry->second.value != expected) {
    return Error{Code::kAborted, "the value is another one", {}, 0, 0};
  }
  if (value.empty()) {
    erase(entry);
    return ok();
  }
  if (value.size() > expected.size() &&
      bytes_ + (value.size() - expected.size()) > limits_.bytes_max) {
    return full();
  }
  bytes_ = bytes_ - expected.size() + value.size();
  forget_expiry(entry);
  entry->second = Entry{std::string(value), expiry(ttl_ms)};
  if (entry->second.expires_ns != 0) by_expiry_.emplace(entry->second.expires_ns, key);
  return ok();
}

KeyValueStore::Entries::iterator KeyValueStore::find(std::string_view key) {
  const auto entry = entries_.find(key);
  if (entry == entries_.end() || entry->second.expires_ns == 0 ||
      entry->second.expires_ns > clock_.monotonic_ns(clock_.context)) {
    return entry;
  }
  erase(entry);
  return entries_.end();
}

void KeyValueStore::erase(Entries::iterator entry) {
  bytes_ -= entry->first.size() + entry->second.value.size();
  forget_expiry(entry);
  entries_.erase(entry);
}

void KeyValueStore::forget_expiry(Entries::iterator entry) {
  auto [first, last] = by_expiry_.equal_range(entry->second.expires_ns);
  for (; first != last; ++first) {
    if (first->second != entry->first) continue;
    by_expiry_.erase(first);
    return;
  }
}

void KeyValueStore::sweep() {
  const std::int64_t now_ns = clock_.monotonic_ns(clock_.context);
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now_ns) {
    erase(entries_.find(by_expiry_.begin()->second));
  }
}

std::int64_t KeyValueStore::expiry(std::uint64_t ttl_ms) const {
  if (ttl_ms == 0) return 0;
  constexpr std::uint64_t kTtlMsMax = 10ULL * 365 * 24 * 3600 * 1000;
  const std::uint64_t bounded_ms = ttl_ms < kTtlMsMax ? ttl_ms : kTtlMsMax;
  return clock_.monotonic_ns(clock_.context) + static_cast<std::int64_t>(bounded_ms) * 1'000'000;
}

}  // namespace backplane
