// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/receipt_store.hpp"

namespace backplane {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kEntryBytes = 256;  // that an entry takes besides its texts

// Digests of callers have one length, so that no two pairs share a key.
std::string key_of(std::string_view request_id, std::string_view caller) {
  return std::string(caller) + '/' + std::string(request_id);
}

}  // namespace

void ReceiptStore::set_limits(const ReceiptLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

void ReceiptStore::put(std::string_view request_id, std::string_view caller, std::string document,
                       std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  std::string key = key_of(request_id, caller);
  if (const auto found = by_key_.find(key); found != by_key_.end()) remove(found->second);
  bytes_ += key.size() + document.size() + kEntryBytes;
  entries_.push_back(
      {std::move(key), std::make_shared<const std::string>(std::move(document)), now_ns});
  by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
  trim(now_ns);
}

ReceiptStore::Document ReceiptStore::find(std::string_view request_id, std::string_view caller,
                                          std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  trim(now_ns);
  const auto found = by_key_.find(key_of(request_id, caller));
  return found == by_key_.end() ? nullptr : found->second->document;
}

void ReceiptStore::remove(Entries::iterator entry) {
  bytes_ -= entry->key.size() + entry->document->size() + kEntryBytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

void ReceiptStore::trim(std::int64_t now_ns) {
  const std::int64_t keep_ns = static_cast<std::int64_t>(limits_.keep_seconds) * kSecondNs;
  while (!entries_.empty() && (entries_.size() > limits_.count_max || bytes_ > limits_.bytes_max ||
                               now_ns - entries_.front().put_ns > keep_ns)) {
    remove(entries_.begin());
  }
}

}  // namespace backplane
