// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/tokenizer/protobuf_reader.hpp"

namespace backplane::local {

std::optional<ProtobufField> ProtobufReader::next() {
  if (damaged_ || left_.empty()) return std::nullopt;
  auto found = field();
  damaged_ = !found;
  return found;
}

std::optional<ProtobufField> ProtobufReader::field() {
  const auto key = varint();
  if (!key || *key >> 3 == 0) return std::nullopt;
  ProtobufField out;
  out.number = *key >> 3;
  out.type = static_cast<ProtobufField::Type>(*key & 7);
  std::optional<std::uint64_t> value;
  switch (out.type) {
    case ProtobufField::Type::kFixed64:
      value = fixed(8);
      break;
    case ProtobufField::Type::kFixed32:
      value = fixed(4);
      break;
    case ProtobufField::Type::kVarint:
    case ProtobufField::Type::kBytes:
      value = varint();
      break;
  }
  if (!value) return std::nullopt;
  out.value = *value;
  if (out.type != ProtobufField::Type::kBytes) return out;
  if (*value > left_.size()) return std::nullopt;
  out.bytes = left_.substr(0, *value);
  left_.remove_prefix(*value);
  return out;
}

std::optional<std::uint64_t> ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ProtobufReader::fixed(std::size_t size) {
  if (left_.size() < size) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::uint64_t{static_cast<unsigned char>(left_[i])} << (8 * i);
  }
  left_.remove_prefix(size);
  return value;
}

}  // namespace backplane::local
