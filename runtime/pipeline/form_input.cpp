// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/form_input.hpp"

#include <algorithm>
#include <backplane/plugin.hpp>
#include <utility>

namespace backplane {

FormInput::FormInput(const bp_body_stream& stream, std::uint64_t size,
                     std::unique_ptr<FormScan> scan)
    : stream_(&stream), size_(size), left_bytes_(size), scan_(std::move(scan)) {}

std::uint32_t FormInput::read(bp_str* out, bp_task ready, void* argument) {
  if (ended_) return BP_READ_END;
  if (stream_ == nullptr || fault_) return BP_READ_FAILED;
  const std::uint32_t answer = stream_->read(stream_->context, out, ready, argument);
  if (answer == BP_READ_WAIT) return answer;
  if (answer == BP_READ_BYTES) return check(view(*out));
  if (answer == BP_READ_END) return finish(answer);
  return fail({Code::kCancelled, "the request body broke off", "CANCELLED", 499, 0});
}

std::uint32_t FormInput::check(std::string_view bytes) {
  consumed_ = true;
  const Status scanned = scan_->feed(bytes);
  if (!scanned) return fail(scanned.error());
  if (left_bytes_ == BP_SIZE_UNKNOWN) return BP_READ_BYTES;
  left_bytes_ -= std::min<std::uint64_t>(left_bytes_, bytes.size());
  return left_bytes_ == 0 ? finish(BP_READ_BYTES) : BP_READ_BYTES;
}

// Who knows the size does not read for the end: the last bytes are only given of a form that is
// whole.
std::uint32_t FormInput::finish(std::uint32_t answer) {
  const Status whole = scan_->finish();
  if (!whole) return fail(whole.error());
  ended_ = true;
  return answer;
}

std::uint32_t FormInput::fail(Error error) {
  fault_ = std::move(error);
  return BP_READ_FAILED;
}

void FormInput::forget() {
  if (stream_ != nullptr) stream_->forget(stream_->context);
}

void FormInput::close() {
  if (const bp_body_stream* stream = std::exchange(stream_, nullptr)) {
    stream->forget(stream->context);
  }
}

AttemptInput::AttemptInput(FormInput* input) : input_(input) {
  if (input != nullptr) {
    table_ = {sizeof(bp_body_stream), 0, input->size(), this, &read, &forget};
  }
}

void AttemptInput::detach() {
  if (FormInput* input = std::exchange(input_, nullptr)) input->forget();
}

std::uint32_t AttemptInput::read(void* context, bp_str* out, bp_task ready, void* argument) {
  FormInput* input = static_cast<AttemptInput*>(context)->input_;
  return input == nullptr ? BP_READ_FAILED : input->read(out, ready, argument);
}

void AttemptInput::forget(void* context) {
  if (FormInput* input = static_cast<AttemptInput*>(context)->input_) input->forget();
}

}  // namespace backplane
