// SPDX-License-Identifier: Apache-2.0
// Brings one file: its missing ranges over several connections, each tried again where a retry can
// help. Whatever ends it, what has come stays in the PartFile. One thread.
#pragma once

#include <deque>

#include "plugins/backends/local/store/hub.hpp"
#include "plugins/backends/local/store/part_file.hpp"
#include "plugins/backends/local/store/progress.hpp"

namespace backplane::local {

inline constexpr std::size_t kConnectionsDefault = 6;
inline constexpr std::size_t kConnectionsMax = 32;
inline constexpr std::size_t kRetriesDefault = 8;

struct DownloadOptions {
  std::size_t connections = kConnectionsDefault;
  std::size_t retries = kRetriesDefault;  // failures in a row without a byte
  std::function<bool()> should_stop;
};

class Download {
 public:
  Download(HttpClient& client, const Hub& hub, const ModelSource& source, PartFile& part,
           Progress& progress, const DownloadOptions& options)
      : client_(client),
        hub_(hub),
        source_(source),
        part_(part),
        progress_(progress),
        options_(options) {}

  // Until every piece is there.
  Status run();
  const std::string& commit() const { return commit_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Task {
    ByteRange range;  // what is still missing of it
    std::size_t failures = 0;
    bool has_come = false;  // a byte, in this try
    Clock::time_point not_before{};
  };

  void plan();
  void start_due();
  void start(std::shared_ptr<Task> task);
  bool take(Task& task, bool is_ranged, const HttpAnswer& answer, const char* data,
            std::size_t bytes);
  bool check_answer(const Task& task, bool is_ranged, const HttpAnswer& answer);
  Status store(Task& task, const char* data, std::size_t bytes);
  void settle(const std::shared_ptr<Task>& task, const HttpAnswer& answer);
  void go_on_without_ranges();
  bool is_whole(const ByteRange& range) const {
    return range.begin == 0 && range.end == part_.file().bytes;
  }

  HttpClient& client_;
  const Hub& hub_;
  const ModelSource& source_;
  PartFile& part_;
  Progress& progress_;
  const DownloadOptions& options_;
  std::deque<std::shared_ptr<Task>> waiting_;  // shared with the functions of their requests
  std::optional<Error> error_;
  std::string commit_;
  bool has_ranges_ = true;
  bool ranges_refused_ = false;
};

}  // namespace backplane::local
