// SPDX-License-Identifier: Apache-2.0
// A provider's list of models, fetched now and again on one of the host's loops. A failure keeps
// the last list, is logged, and is tried again sooner.
#pragma once

#include "common/model_list.hpp"
#include "common/upstream.hpp"

#include <backplane/plugin.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::dialect {

inline constexpr std::uint64_t kListRetryMaxMs = 60'000;

class ModelFeed {
 public:
  // `refresh_ms` 0: never fetches.
  ModelFeed(const Services& services, std::string url, std::uint64_t refresh_ms);
  ModelFeed(const ModelFeed&) = delete;
  ModelFeed& operator=(const ModelFeed&) = delete;

  // [control] Returns at once.
  void start(std::vector<Header> headers);
  // [control] Nothing happens once it returns. Waits for the loop, which has to run.
  void stop();

  // [any-thread]
  std::vector<ListedModel> models() const;

 private:
  void post(bp_task task);
  void fetch() noexcept;
  void send();
  void take_list();
  void note_failure(std::string_view why);
  void wait_for(std::uint64_t delay_ms);
  void end() noexcept;

  static ModelFeed& self(void* context) { return *static_cast<ModelFeed*>(context); }
  static const bp_http_handler kHandler;

  const Services services_;
  const std::string url_;
  const std::uint64_t refresh_ms_;
  std::vector<Header> headers_;
  bp_loop* loop_ = nullptr;  // null: not started

  // On the loop.
  bp_http_exchange* exchange_ = nullptr;
  std::uint64_t timer_ = 0;
  std::uint32_t status_ = 0;
  std::string body_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ListedModel> models_;
  bool has_ended_ = false;
};

}  // namespace backplane::dialect
