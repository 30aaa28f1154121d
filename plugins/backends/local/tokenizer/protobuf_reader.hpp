// SPDX-License-Identifier: Apache-2.0
// The fields of a protobuf message, one by one, in place
// (https://protobuf.dev/programming-guides/encoding). The bytes are not trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace backplane::local {

struct ProtobufField {
  enum class Type : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  std::uint64_t number = 0;
  Type type = Type::kVarint;
  std::uint64_t value = 0;  // of numbers
  std::string_view bytes;   // kBytes; in the message
};

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : left_(message) {}

  // nullopt at the end, and where the message is damaged.
  std::optional<ProtobufField> next();
  bool damaged() const { return damaged_; }

 private:
  std::optional<std::uint64_t> varint();
  std::optional<std::uint64_t> fixed(std::size_t size);
  std::optional<ProtobufField> field();

  std::string_view left_;
  bool damaged_ = false;
};

}  // namespace backplane::local
