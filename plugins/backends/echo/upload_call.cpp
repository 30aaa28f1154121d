// SPDX-License-Identifier: Apache-2.0
#include "upload_call.hpp"

#include <array>
#include <boost/crc.hpp>
#include <cstdio>
#include <string>
#include <utility>

namespace backplane::echo {
namespace {

class UploadCall final : public Call {
 public:
  UploadCall(const bp_request& request, const bp_sink& sink)
      : stream_(request.body_stream), events_(sink) {
    take(view(request.body));
  }

  void read_on() {
    while (!events_.ended()) {
      bp_str bytes{};
      const std::uint32_t answer = stream_ == nullptr ? BP_READ_END : read(&bytes);
      if (answer == BP_READ_WAIT) return;
      if (answer == BP_READ_BYTES) {
        take(view(bytes));
      } else if (answer == BP_READ_END) {
        finish();
      } else {
        fail("the body broke off");
      }
    }
  }

  void on_cancel() noexcept override {
    if (events_.ended()) return;
    if (const bp_body_stream* stream = std::exchange(stream_, nullptr)) {
      stream->forget(stream->context);
    }
    fail("the call was cancelled");
  }

 private:
  std::uint32_t read(bp_str* out) {
    return stream_->read(
        stream_->context, out, [](void* self) { static_cast<UploadCall*>(self)->read_on(); }, this);
  }
  void take(std::string_view bytes) {
    size_ += bytes.size();
    sum_.process_bytes(bytes.data(), bytes.size());
  }
  void finish() {
    std::array<char, 16> sum{};
    std::snprintf(sum.data(), sum.size(), "%08x", static_cast<unsigned>(sum_.checksum()));
    const std::string text =
        "a body of " + std::to_string(size_) + " bytes, CRC-32 " + std::string(sum.data());
    events_.body(R"({"text":")" + text + "\"}", "application/json");
    events_.usage(size_, text.size());
    events_.end();
  }
  void fail(const char* message) { events_.error({Code::kCancelled, message, {}, 0, 0}); }

  const bp_body_stream* stream_;
  std::uint64_t size_ = 0;
  boost::crc_32_type sum_;
  EventWriter events_;
};

}  // namespace

Call* start_upload(const bp_request& request, const bp_sink& sink) {
  auto call = std::make_unique<UploadCall>(request, sink);
  call->read_on();
  return call.release();
}

}  // namespace backplane::echo
