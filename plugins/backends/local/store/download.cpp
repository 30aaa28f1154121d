// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/download.hpp"

#include <algorithm>
#include <charconv>

namespace backplane::local {
namespace {

// The first byte and the size of "bytes 0-99/1000".
bool parse_content_range(std::string_view text, std::uint64_t& begin, std::uint64_t& total) {
  if (!text.starts_with("bytes ")) return false;
  text.remove_prefix(6);
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view size = text.substr(slash + 1);
  return std::from_chars(text.data(), text.data() + slash, begin).ec == std::errc() &&
         std::from_chars(size.data(), size.data() + size.size(), total).ec == std::errc();
}

}  // namespace

Status Download::run() {
  plan();
  while (!waiting_.empty() || client_.running() > 0) {
    if (options_.should_stop()) {
      error_ = Error{Code::kCancelled, "interrupted", {}, 0, 0};
    }
    if (error_) break;
    start_due();
    client_.run_some(std::chrono::milliseconds(100));
    if (ranges_refused_) go_on_without_ranges();
  }
  client_.cancel_all();
  if (error_) return *error_;
  return ok();
}

void Download::plan() {
  waiting_.clear();
  const std::size_t connections = has_ranges_ ? options_.connections : 1;
  if (!has_ranges_) {
    waiting_.push_back(std::make_shared<Task>(Task{{0, part_.file().bytes}, 0, false, {}}));
    return;
  }
  for (const ByteRange& range : plan_ranges(part_.file().bytes, part_.done(), connections)) {
    waiting_.push_back(std::make_shared<Task>(Task{range, 0, false, {}}));
  }
}

void Download::go_on_without_ranges() {
  client_.cancel_all();
  ranges_refused_ = false;
  has_ranges_ = false;
  progress_.say("this server sends no parts of files: beginning anew, over one connection");
  progress_.begin(part_.file().path, 0, part_.file().bytes);
  if (auto status = part_.begin_anew(); !status) error_ = status.error();
  plan();
}

void Download::start_due() {
  const auto now = Clock::now();
  while (client_.running() < options_.connections) {
    const auto due = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const auto& task) { return task->not_before <= now; });
    if (due == waiting_.end()) return;
    auto task = std::move(*due);
    waiting_.erase(due);
    start(std::move(task));
  }
}

void Download::start(std::shared_ptr<Task> task) {
  HttpGet get;
  get.url = hub_.file_url(source_, part_.file().path);
  const bool is_ranged = has_ranges_ && !is_whole(task->range);
  if (is_ranged) get.range = task->range;
  task->has_come = false;
  get.on_body = [this, task, is_ranged](const HttpAnswer& answer, const char* data,
                                        std::size_t bytes) {
    return take(*task, is_ranged, answer, data, bytes);
  };
  get.on_done = [this, task](const HttpAnswer& answer) { settle(task, answer); };
  client_.start(std::move(get));
}

bool Download::check_answer(const Task& task, bool is_ranged, const HttpAnswer& answer) {
  if (!is_ranged) return true;
  if (answer.status == 200) {
    ranges_refused_ = true;
    return false;
  }
  std::uint64_t begin = 0;
  std::uint64_t total = 0;
  if (parse_content_range(answer.content_range, begin, total) && begin == task.range.begin &&
      total == part_.file().bytes) {
    return true;
  }
  error_ = Error{Code::kDataLoss,
                 part_.file().path + ": the server sends other bytes than it was asked for (" +
                     answer.content_range + "); run it again",
                 {},
                 0,
                 0};
  return false;
}

bool Download::take(Task& task, bool is_ranged, const HttpAnswer& answer, const char* data,
                    std::size_t bytes) {
  if (error_ || ranges_refused_) return false;
  if (!task.has_come && !check_answer(task, is_ranged, answer)) return false;
  task.has_come = true;
  if (bytes > task.range.bytes()) {
    error_ = Error{Code::kDataLoss,
                   part_.file().path + ": the server sends more bytes than its list says",
                   {},
                   0,
                   0};
    return false;
  }
  if (auto status = store(task, data, bytes); !status) error_ = status.error();
  return !error_;
}

Status Download::store(Task& task, const char* data, std::size_t bytes) {
  if (auto status = part_.write(task.range.begin, {data, bytes}); !status) return status;
  const std::uint64_t before = task.range.begin;
  task.range.begin += bytes;
  progress_.add(bytes);
  // A try may have begun inside a piece whose front came before; it is whole with its last byte.
  for (std::uint64_t piece = before / kPieceBytes;; ++piece) {
    const auto index = static_cast<std::size_t>(piece);
    if (index >= part_.done().size()) return ok();
    if (piece_range(part_.file().bytes, index).end > task.range.begin) return ok();
    if (part_.done()[index]) continue;
    if (auto status = part_.mark_done(index); !status) return status;
  }
}

void Download::settle(const std::shared_ptr<Task>& task, const HttpAnswer& answer) {
  if (!answer.commit.empty()) commit_ = answer.commit;
  if (error_ || ranges_refused_ || task->range.bytes() == 0) return;
  task->failures = task->has_come && has_ranges_ ? 0 : task->failures + 1;
  if (!may_succeed_later(answer) || task->failures > options_.retries) {
    error_ = hub_.refusal(source_, part_.file().path, answer);
    return;
  }
  task->not_before = Clock::now() + retry_delay(answer, task->failures);
  if (!has_ranges_) {
    progress_.take_back(task->range.begin);
    if (auto status = part_.begin_anew(); !status) error_ = status.error();
    task->range.begin = 0;
  }
  waiting_.push_back(task);
}

}  // namespace backplane::local
