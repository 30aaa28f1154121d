// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/cache/cached_answer.hpp"

#include <backplane/plugin.hpp>
#include <cassert>
#include <cstring>
#include <limits>

namespace backplane {
namespace {

std::uint32_t size_of(const bp_str& text) {
  assert(text.size <= std::numeric_limits<std::uint32_t>::max());
  return static_cast<std::uint32_t>(text.size);
}

}  // namespace

void CachedAnswer::add(const bp_event& event) {
  if (event.type == BP_EVENT_USAGE) return add_usage(event);
  Piece piece{event.type,
              event.index,
              event.flags,
              size_of(event.data),
              size_of(event.detail),
              size_of(event.logprobs),
              0,
              0};
  bytes_ += view(event.data);
  bytes_ += view(event.detail);
  bytes_ += view(event.logprobs);
  if (const bp_tool_call* call = event.tool_call) {
    piece.tool_call_id = size_of(call->id);
    piece.tool_call =
        static_cast<std::uint32_t>(sizeof(call->index)) + size_of(call->id) + size_of(call->name);
    bytes_.append(reinterpret_cast<const char*>(&call->index), sizeof(call->index));
    bytes_ += view(call->id);
    bytes_ += view(call->name);
  }
  pieces_.push_back(piece);
}

// It says nothing but numbers.
void CachedAnswer::add_usage(const bp_event& event) {
  if (event.usage == nullptr) return;
  pieces_.push_back({event.type, event.index, event.flags, sizeof(bp_usage), 0, 0, 0, 0});
  bytes_.append(reinterpret_cast<const char*>(event.usage), sizeof(bp_usage));
}

void CachedAnswer::close() {
  bytes_.shrink_to_fit();
  pieces_.shrink_to_fit();
}

std::uint64_t CachedAnswer::header_bytes() const {
  std::uint64_t bytes =
      headers.capacity() * sizeof(headers[0]) + end.capacity() + receipt.capacity();
  for (const auto& [name, value] : headers) bytes += name.capacity() + value.capacity();
  return bytes;
}

std::uint64_t CachedAnswer::bytes() const {
  return sizeof(*this) + bytes_.capacity() + pieces_.capacity() * sizeof(Piece) + header_bytes();
}

std::string_view CachedAnswer::Reader::take(std::uint32_t size) {
  const std::string_view text = std::string_view(answer_.bytes_).substr(offset_, size);
  offset_ += size;
  return text;
}

bool CachedAnswer::Reader::next(bp_event& event) {
  if (piece_ == answer_.pieces_.size()) return false;
  const Piece& piece = answer_.pieces_[piece_++];
  event = {};
  event.type = piece.type;
  event.index = piece.index;
  event.flags = piece.flags;
  if (piece.type == BP_EVENT_USAGE) {
    std::memcpy(&usage_, take(piece.data).data(), sizeof(bp_usage));
    event.usage = &usage_;
    return true;
  }
  event.data = str(take(piece.data));
  event.detail = str(take(piece.detail));
  event.logprobs = str(take(piece.logprobs));
  if (piece.tool_call == 0) return true;
  tool_call_.struct_size = sizeof(bp_tool_call);
  std::memcpy(&tool_call_.index, take(sizeof(tool_call_.index)).data(), sizeof(tool_call_.index));
  tool_call_.id = str(take(piece.tool_call_id));
  tool_call_.name =
      str(take(piece.tool_call - piece.tool_call_id - std::uint32_t{sizeof(tool_call_.index)}));
  event.tool_call = &tool_call_;
  return true;
}

}  // namespace backplane
