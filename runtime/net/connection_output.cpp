// SPDX-License-Identifier: Apache-2.0
// What a connection sends: kept while the socket takes nothing, and timed.
#include <algorithm>
#include <array>
#include <utility>

#include "runtime/net/connection.hpp"
#include "runtime/net/loop_net.hpp"
#include "runtime/net/net.hpp"

namespace backplane {

namespace {

constexpr std::size_t kDirectWriteBytes = 16 * 1024;
constexpr std::size_t kDirectPiecesMax = 63;

std::size_t total_of(const bp_str* pieces, std::uint64_t count) {
  std::size_t total = 0;
  for (std::uint64_t index = 0; index < count; ++index) total += pieces[index].size;
  return total;
}

iovec piece_of(const char* data, std::size_t size) {
  return {const_cast<char*>(data), size};
}

}  // namespace

std::uint32_t Connection::write(const bp_str* pieces, std::uint64_t count) {
  if (state_ != State::kOpen) return BP_FLOW_STOP;
  const std::size_t total = total_of(pieces, count);
  std::size_t sent = 0;
  // The first event of a burst does not wait for the others.
  const bool is_first = std::exchange(written_ns_, loop().turn_time_ns()) != loop().turn_time_ns();
  const bool directly = total >= kDirectWriteBytes || (is_first && pending() == 0 && total > 0);
  if (directly && !blocked_ && count <= kDirectPiecesMax && !write_directly(pieces, count, sent)) {
    return BP_FLOW_STOP;
  }
  if (sent < total) append(pieces, count, sent);
  if (pending() > kPendingMaxBytes) {
    abort();
    return BP_FLOW_STOP;
  }
  if (pending() > kHighWaterBytes && !std::exchange(wants_drained_, true) &&
      write_bytes_per_second_min_ != 0 && timeout_ms_ != 0) {
    arm(timeout_ms_);
  }
  if ((pending() > 0 && !blocked_) || wants_drained_) loop().defer(*this);
  return wants_drained_ ? BP_FLOW_PAUSE : BP_FLOW_CONTINUE;
}

// Sends what is pending and the pieces without copying them; `sent` counts bytes of the pieces.
bool Connection::write_directly(const bp_str* pieces, std::uint64_t count, std::size_t& sent) {
  std::array<iovec, kDirectPiecesMax + 1> parts;
  const std::size_t before = pending();
  parts[0] = piece_of(output_.data() + output_offset_, before);
  for (std::uint64_t index = 0; index < count; ++index) {
    parts[index + 1] = piece_of(pieces[index].data, pieces[index].size);
  }
  const IoResult result = stream_.write({parts.data(), count + 1});
  if (result.status == IoStatus::kFailed) {
    die();
    return false;
  }
  take_sent(std::min(result.bytes, before));
  taken_bytes_ += result.bytes - std::min(result.bytes, before);
  note_blocked(result.status == IoStatus::kBlocked);
  sent = result.bytes - std::min(result.bytes, before);
  return true;
}

void Connection::append(const bp_str* pieces, std::uint64_t count, std::size_t skip) {
  if (output_.capacity() < kDirectWriteBytes) {
    std::string spare = net_.take_output();
    if (spare.capacity() > output_.capacity() && output_.empty()) output_ = std::move(spare);
  }
  if (output_offset_ > kLowWaterBytes && output_offset_ > output_.size() / 2) {
    output_.erase(0, output_offset_);
    output_offset_ = 0;
  }
  for (std::uint64_t index = 0; index < count; ++index) {
    const std::size_t part = std::min<std::size_t>(skip, pieces[index].size);
    skip -= part;
    output_.append(pieces[index].data + part, pieces[index].size - part);
  }
}

void Connection::flush() {
  if (pending() == 0 || blocked_) return;
  const iovec part = piece_of(output_.data() + output_offset_, pending());
  const IoResult result = stream_.write({&part, 1});
  if (result.status == IoStatus::kFailed) return die();
  take_sent(result.bytes);
  note_blocked(result.status == IoStatus::kBlocked);
}

void Connection::take_sent(std::size_t bytes) {
  taken_bytes_ += bytes;
  // A peer that reads slowly is not one that does not read.
  if (bytes != 0 && timeout_ms_ != 0 && write_bytes_per_second_min_ == 0 && is_peer_awaited()) {
    arm(timeout_ms_);
  }
  output_offset_ += bytes;
  if (output_offset_ < output_.size() || output_.empty()) return;
  output_offset_ = 0;
  net_.give_back_output(std::exchange(output_, {}));
}

bool Connection::is_peer_awaited() const {
  return wants_drained_ || state_ == State::kClosing;
}

// What the kernel holds for the peer has not been taken: it counts from where the window begins, or
// from where the socket was first full.
void Connection::begin_write_window() {
  taken_bytes_ = 0;
  window_begun_ = blocked_;
  queued_bytes_ = blocked_ ? stream_.queued_bytes() : 0;
}

void Connection::note_blocked(bool blocked) {
  blocked_ = blocked;
  if (blocked && !window_begun_ && write_bytes_per_second_min_ != 0) begin_write_window();
}

bool Connection::has_taken_enough() const {
  if (write_bytes_per_second_min_ == 0 || !is_peer_awaited()) return false;
  if (!window_begun_) return true;
  const std::uint64_t needed = write_bytes_per_second_min_ * timeout_ms_ / 1000;
  return taken_bytes_ + queued_bytes_ >= needed + stream_.queued_bytes();
}

}  // namespace backplane
