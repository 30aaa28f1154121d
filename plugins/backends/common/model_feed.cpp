// SPDX-License-Identifier: Apache-2.0
#include "common/model_feed.hpp"

#include <algorithm>
#include <utility>

namespace backplane::dialect {

const bp_http_handler ModelFeed::kHandler{
    sizeof(bp_http_handler),
    0,
    [](void* context, std::uint32_t status, const bp_pair*, std::uint64_t) {
      self(context).status_ = status;
    },
    [](void* context, bp_str bytes) -> std::uint32_t {
      ModelFeed& feed = self(context);
      if (bytes.size <= kListBodyMaxBytes - feed.body_.size()) {
        sdk::guarded_void([&] { feed.body_.append(view(bytes)); });
        return BP_FLOW_CONTINUE;
      }
      feed.exchange_ = nullptr;
      sdk::guarded_void([&] { feed.note_failure("it is too large"); });
      return BP_FLOW_STOP;
    },
    [](void* context) {
      self(context).exchange_ = nullptr;
      sdk::guarded_void([&] { self(context).take_list(); });
    },
    [](void* context, const bp_error* error) {
      self(context).exchange_ = nullptr;
      sdk::guarded_void([&] { self(context).note_failure(error->message); });
    }};

ModelFeed::ModelFeed(const Services& services, std::string url, std::uint64_t refresh_ms)
    : services_(services), url_(std::move(url)), refresh_ms_(refresh_ms) {}

void ModelFeed::start(std::vector<Header> headers) {
  const bp_loop_service* loops = services_.loop;
  const bool can_wait = BP_HAS(loops, at) && BP_HAS(loops, is_current) &&
                        BP_HAS(loops, post_after) && BP_HAS(loops, cancel);
  if (refresh_ms_ == 0 || !can_wait || loops->count == 0) return;
  headers_ = std::move(headers);
  headers_.push_back({"accept", "application/json"});
  loop_ = loops->at(loops->context, 0);
  post([](void* context) { self(context).fetch(); });
}

void ModelFeed::stop() {
  if (loop_ == nullptr) return;
  if (services_.loop->is_current(loop_) != 0) {
    end();
  } else {
    post([](void* context) { self(context).end(); });
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return has_ended_; });
  loop_ = nullptr;
}

std::vector<ListedModel> ModelFeed::models() const {
  const std::lock_guard lock(mutex_);
  return models_;
}

void ModelFeed::post(bp_task task) {
  services_.loop->post(loop_, task, this);
}

void ModelFeed::fetch() noexcept {
  timer_ = 0;
  if (has_ended_) return;
  sdk::guarded_void([this] { send(); });
}

void ModelFeed::send() {
  status_ = 0;
  body_.clear();
  std::vector<bp_pair> headers;
  for (const Header& header : headers_) headers.push_back({str(header.name), str(header.value)});
  bp_http_request request{};
  request.struct_size = sizeof(request);
  request.loop = loop_;
  request.method = str("GET");
  request.url = str(url_);
  request.headers = headers.data();
  request.header_count = headers.size();
  request.first_byte_timeout_ms = kListRetryMaxMs;
  request.total_timeout_ms = kListRetryMaxMs;
  bp_error error{};
  const bp_http* http = services_.http;
  if (http->send(http->context, &request, &kHandler, this, &exchange_, &error) != BP_CODE_OK) {
    exchange_ = nullptr;
    note_failure(error.message);
  }
}

void ModelFeed::take_list() {
  if (status_ != 200) return note_failure("status " + std::to_string(status_));
  Result<std::vector<ListedModel>> list = read_model_list(body_);
  std::string().swap(body_);
  if (!list) return note_failure(list.error().message);
  {
    const std::lock_guard lock(mutex_);
    models_ = std::move(*list);
  }
  wait_for(refresh_ms_);
}

void ModelFeed::note_failure(std::string_view why) {
  std::string().swap(body_);
  wait_for(std::min(refresh_ms_, kListRetryMaxMs));
  services_.host.log(BP_LOG_WARN,
                     "the provider's list of models could not be read, the last one "
                     "stays: " +
                         std::string(why));
}

void ModelFeed::wait_for(std::uint64_t delay_ms) {
  timer_ = services_.loop->post_after(
      loop_, delay_ms, [](void* context) { self(context).fetch(); }, this);
}

void ModelFeed::end() noexcept {
  if (exchange_ != nullptr) services_.http->cancel(std::exchange(exchange_, nullptr));
  if (timer_ != 0) services_.loop->cancel(loop_, std::exchange(timer_, 0));
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

}  // namespace backplane::dialect
