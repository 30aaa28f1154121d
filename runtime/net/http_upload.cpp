// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/http_upload.hpp"

#include <cassert>
#include <charconv>
#include <utility>

namespace backplane {

namespace {

constexpr int kEmptyReadsMax = 16;
constexpr std::string_view kLineBreak = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

iovec piece_of(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

std::string_view ChunkLine::write(std::uint64_t size) {
  char* end = std::to_chars(text_.data(), text_.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {text_.data(), static_cast<std::size_t>(end - text_.data())};
}

void Upload::begin(const bp_body_stream* stream, bp_task ready, void* argument) {
  stream_ = stream;
  ready_ = ready;
  argument_ = argument;
  left_bytes_ = stream == nullptr ? 0 : stream->size;
  waiting_ = ended_ = false;
}

void Upload::stop() {
  const bp_body_stream* stream = std::exchange(stream_, nullptr);
  if (stream != nullptr) stream->forget(stream->context);
}

Upload::Next Upload::next(std::vector<iovec>& pieces) {
  assert(is_active());
  if (waiting_) return Next::kWait;
  if (ended_ || left_bytes_ == 0) return Next::kEnd;
  for (int reads = 0; reads < kEmptyReadsMax; ++reads) {
    bp_str bytes{};
    switch (stream_->read(stream_->context, &bytes, ready_, argument_)) {
      case BP_READ_BYTES:
        if (bytes.size == 0) continue;
        return take(bytes, pieces);
      case BP_READ_WAIT:
        waiting_ = true;
        return Next::kWait;
      case BP_READ_END:
        return end(pieces);
      default:
        return broken("the request's body was broken off by its sender");
    }
  }
  return broken("the request's body does not come");
}

Upload::Next Upload::take(bp_str bytes, std::vector<iovec>& pieces) {
  const std::string_view text(bytes.data, bytes.size);
  if (is_chunked()) {
    pieces.push_back(piece_of(line_.write(text.size())));
    pieces.push_back(piece_of(text));
    pieces.push_back(piece_of(kLineBreak));
    return Next::kPieces;
  }
  if (text.size() > left_bytes_) return broken("the request's body is longer than announced");
  left_bytes_ -= text.size();
  pieces.push_back(piece_of(text));
  return Next::kPieces;
}

Upload::Next Upload::end(std::vector<iovec>& pieces) {
  if (!is_chunked()) return broken("the request's body is shorter than announced");
  ended_ = true;
  pieces.push_back(piece_of(kLastChunk));
  return Next::kPieces;
}

Upload::Next Upload::broken(const char* message) {
  error_ = {Code::kAborted, message, {}, 0, 0};
  return Next::kBroken;
}

}  // namespace backplane
