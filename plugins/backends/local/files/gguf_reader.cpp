// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/gguf_reader.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace backplane::local {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF", little-endian
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kAlignmentMin = 8;
constexpr std::uint64_t kAlignmentMax = 1u << 16;
constexpr std::uint64_t kWeightsMax = std::uint64_t{1} << 48;

static_assert(std::endian::native == std::endian::little, "GGUF is read in place");

}  // namespace

std::size_t gguf_type_bytes(MetadataType type) {
  switch (type) {
    case MetadataType::kUint8:
    case MetadataType::kInt8:
    case MetadataType::kBool:
      return 1;
    case MetadataType::kUint16:
    case MetadataType::kInt16:
      return 2;
    case MetadataType::kUint32:
    case MetadataType::kInt32:
    case MetadataType::kFloat32:
      return 4;
    case MetadataType::kUint64:
    case MetadataType::kInt64:
    case MetadataType::kFloat64:
      return 8;
    case MetadataType::kString:
    case MetadataType::kArray:
      break;
  }
  return 0;
}

Error GgufReader::error(const std::string& what) const {
  return invalid_argument(file_.path_ + ": byte " + std::to_string(position_) + ": " + place_ +
                          ": " + what);
}

Error GgufReader::truncated() const {
  return error("the file ends here (" + std::to_string(bytes_.size()) +
               " bytes); it is truncated or damaged, fetch it again");
}

template <class Number>
Result<Number> GgufReader::take() {
  if (left() < sizeof(Number)) return truncated();
  Number number{};
  std::memcpy(&number, bytes_.data() + position_, sizeof(Number));
  position_ += sizeof(Number);
  return number;
}

Status GgufReader::read() {
  if (auto status = read_header(); !status) return status;
  for (std::uint64_t i = 0; i < entry_count_; ++i) {
    if (auto status = read_entry(i); !status) return status;
  }
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    if (auto status = read_tensor(i); !status) return status;
  }
  return place_tensors();
}

Status GgufReader::read_header() {
  const auto magic = take<std::uint32_t>();
  if (!magic) return magic.error();
  if (*magic != kMagic) return error("is not a GGUF file (its first bytes are not \"GGUF\")");
  const auto version = take<std::uint32_t>();
  if (!version) return version.error();
  if (*version == 0x02000000 || *version == 0x03000000) {
    return error("is a big-endian GGUF file; convert it to little-endian");
  }
  if (*version != 2 && *version != 3) {
    return error("has GGUF version " + std::to_string(*version) +
                 "; versions 2 and 3 are read, convert it again with a current converter");
  }
  file_.version_ = *version;
  const auto tensors = take<std::uint64_t>();
  if (!tensors) return tensors.error();
  const auto entries = take<std::uint64_t>();
  if (!entries) return entries.error();
  if (*tensors > kFileTensorsMax || *entries > kGgufEntriesMax) {
    return error("declares " + std::to_string(*tensors) + " tensors and " +
                 std::to_string(*entries) + " metadata entries; at most " +
                 std::to_string(kFileTensorsMax) + " each are read, the file is damaged");
  }
  tensor_count_ = *tensors;
  entry_count_ = *entries;
  return ok();
}

Result<std::string_view> GgufReader::read_string(std::uint64_t bytes_max) {
  const auto length = take<std::uint64_t>();
  if (!length) return length.error();
  if (*length > left()) return truncated();
  if (*length > bytes_max) {
    return error("a name of " + std::to_string(*length) + " bytes; at most " +
                 std::to_string(bytes_max) + " are read, the file is damaged");
  }
  const auto size = static_cast<std::size_t>(*length);
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data() + position_), size);
  position_ += size;
  return text;
}

Status GgufReader::read_entry(std::uint64_t index) {
  place_ = "metadata entry " + std::to_string(index);
  const auto key = read_string(kGgufNameBytesMax);
  if (!key) return key.error();
  place_ = "metadata key " + printable(*key);
  const auto type = take<std::uint32_t>();
  if (!type) return type.error();
  const auto [entry, added] = file_.metadata_.try_emplace(*key);
  if (!added) return error("occurs twice; the file is damaged");
  return read_value(static_cast<MetadataType>(*type), entry->second);
}

Status GgufReader::read_value(MetadataType type, MetadataValue& out) {
  if (type == MetadataType::kArray) return read_array(out.emplace<MetadataArray>());
  if (type != MetadataType::kString) return read_number(type, out);
  const auto text = read_string(UINT64_MAX);
  if (!text) return text.error();
  out = *text;
  return ok();
}

Status GgufReader::read_number(MetadataType type, MetadataValue& out) {
  const auto as = [&](auto sample, auto target) -> Status {
    const auto number = take<decltype(sample)>();
    if (!number) return number.error();
    out = static_cast<decltype(target)>(*number);
    return ok();
  };
  const std::uint64_t whole = 0;
  const std::int64_t integer = 0;
  switch (type) {
    case MetadataType::kUint8:
      return as(std::uint8_t{}, whole);
    case MetadataType::kUint16:
      return as(std::uint16_t{}, whole);
    case MetadataType::kUint32:
      return as(std::uint32_t{}, whole);
    case MetadataType::kUint64:
      return as(std::uint64_t{}, whole);
    case MetadataType::kInt8:
      return as(std::int8_t{}, integer);
    case MetadataType::kInt16:
      return as(std::int16_t{}, integer);
    case MetadataType::kInt32:
      return as(std::int32_t{}, integer);
    case MetadataType::kInt64:
      return as(std::int64_t{}, integer);
    case MetadataType::kFloat32:
      return as(float{}, double{});
    case MetadataType::kFloat64:
      return as(double{}, double{});
    case MetadataType::kBool:
      return as(std::uint8_t{}, bool{});
    case MetadataType::kString:
    case MetadataType::kArray:
      break;
  }
  return error("unknown value type " + std::to_string(static_cast<std::uint32_t>(type)) +
               "; the file is damaged or newer than this reader");
}

Status GgufReader::read_array(MetadataArray& array) {
  const auto type = take<std::uint32_t>();
  if (!type) return type.error();
  const auto count = take<std::uint64_t>();
  if (!count) return count.error();
  array.type = static_cast<MetadataType>(*type);
  const bool text = array.type == MetadataType::kString;
  const std::size_t element_bytes = text ? sizeof(std::uint64_t) : gguf_type_bytes(array.type);
  if (element_bytes == 0) {
    return error("an array of element type " + std::to_string(*type) + " cannot be read");
  }
  if (*count > left() / element_bytes) return truncated();
  const auto size = static_cast<std::size_t>(*count);
  if (!text) {
    array.raw = bytes_.subspan(position_, size * element_bytes);
    position_ += array.raw.size();
    return ok();
  }
  array.strings.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const auto element = read_string(UINT64_MAX);
    if (!element) return element.error();
    array.strings.push_back(*element);
  }
  return ok();
}

Status GgufReader::read_tensor(std::uint64_t index) {
  place_ = "tensor " + std::to_string(index);
  FileTensor tensor;
  const auto name = read_string(kGgufNameBytesMax);
  if (!name) return name.error();
  tensor.name = *name;
  place_ = "tensor " + printable(*name);
  const auto dimensions = take<std::uint32_t>();
  if (!dimensions) return dimensions.error();
  if (*dimensions == 0 || *dimensions > kGgufDimensionsMax) {
    return error("has " + std::to_string(*dimensions) + " dimensions; 1 to " +
                 std::to_string(kGgufDimensionsMax) + " are read, the file is damaged");
  }
  for (std::uint32_t i = 0; i < *dimensions; ++i) {
    const auto dimension = take<std::uint64_t>();
    if (!dimension) return dimension.error();
    tensor.dimensions.push_back(*dimension);
  }
  const auto type = take<std::uint32_t>();
  if (!type) return type.error();
  tensor.type = *type;
  const auto offset = take<std::uint64_t>();
  if (!offset) return offset.error();
  if (!file_.add(std::move(tensor))) return error("occurs twice; the file is damaged");
  offsets_.push_back(*offset);
  return ok();
}

Status GgufReader::place_tensors() {
  place_ = "general.alignment";
  const auto declared = file_.unsigned_number("general.alignment");
  if (!declared) return declared.error();
  const std::uint64_t alignment = declared->value_or(kDefaultAlignment);
  if (!std::has_single_bit(alignment) || alignment < kAlignmentMin || alignment > kAlignmentMax) {
    return error("is " + std::to_string(alignment) + "; a power of two from " +
                 std::to_string(kAlignmentMin) + " to " + std::to_string(kAlignmentMax) +
                 " is expected, the file is damaged");
  }
  const std::uint64_t start = (position_ + alignment - 1) / alignment * alignment;
  for (std::size_t i = 0; i < offsets_.size(); ++i) {
    place_ = "tensor " + printable(file_.tensors_[i].name);
    if (offsets_[i] % alignment != 0) return error("its data is not aligned; the file is damaged");
    if (start > bytes_.size() || offsets_[i] > bytes_.size() - start) return truncated();
    if (auto status = place_tensor(file_.tensors_[i], start + offsets_[i]); !status) return status;
  }
  const FileTensor* overlapping = find_overlap(file_.tensors_);
  if (overlapping == nullptr) return ok();
  place_ = "tensor " + printable(overlapping->name);
  return error("its data is also another tensor's; the file is damaged");
}

Status GgufReader::place_tensor(FileTensor& tensor, std::uint64_t offset) {
  const GgmlType* type = find_ggml_type(tensor.type);
  if (type == nullptr) {
    return error("has type " + std::to_string(tensor.type) +
                 ", which is unknown; use a file with weights of a known type");
  }
  std::uint64_t weights = 1;
  for (const std::uint64_t dimension : tensor.dimensions) {
    if (dimension == 0 || dimension > kWeightsMax / weights) {
      return error("has an impossible shape; the file is damaged");
    }
    weights *= dimension;
  }
  if (tensor.dimensions[0] % type->block_weights != 0) {
    return error(std::string("has rows that are not whole ") + type->name +
                 " blocks; the file is damaged");
  }
  const std::uint64_t size = weights / type->block_weights * type->block_bytes;
  if (size > bytes_.size() - offset) return truncated();
  tensor.data = bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  return ok();
}

}  // namespace backplane::local
