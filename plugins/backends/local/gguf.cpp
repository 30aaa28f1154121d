// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/gguf.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "plugins/backends/local/gguf_reader.hpp"

namespace backplane::local {
namespace {

constexpr std::array<GgmlType, 31> kGgmlTypes = {{
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},
    {3, "Q4_1", 32, 20},      {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},
    {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},      {10, "Q2_K", 256, 84},
    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66},
    {17, "IQ2_XS", 256, 74},  {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},
    {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},  {22, "IQ2_S", 256, 82},
    {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},
    {29, "IQ1_M", 256, 56},   {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},
    {39, "MXFP4", 32, 17},
}};

template <class Number>
double number_at(std::span<const std::byte> raw, std::size_t index) {
  Number value{};
  std::memcpy(&value, raw.data() + index * sizeof(Number), sizeof(Number));
  return static_cast<double>(value);
}

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t id) {
  const auto* found = std::find_if(kGgmlTypes.begin(), kGgmlTypes.end(),
                                   [&](const GgmlType& type) { return type.id == id; });
  return found == kGgmlTypes.end() ? nullptr : found;
}

std::size_t GgufArray::size() const {
  return type == GgufType::kString ? strings.size() : raw.size() / gguf_type_bytes(type);
}

double GgufArray::number(std::size_t index) const {
  assert(index < size() && type != GgufType::kString);
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kBool:
      return number_at<std::uint8_t>(raw, index);
    case GgufType::kInt8:
      return number_at<std::int8_t>(raw, index);
    case GgufType::kUint16:
      return number_at<std::uint16_t>(raw, index);
    case GgufType::kInt16:
      return number_at<std::int16_t>(raw, index);
    case GgufType::kUint32:
      return number_at<std::uint32_t>(raw, index);
    case GgufType::kInt32:
      return number_at<std::int32_t>(raw, index);
    case GgufType::kFloat32:
      return number_at<float>(raw, index);
    case GgufType::kUint64:
      return number_at<std::uint64_t>(raw, index);
    case GgufType::kInt64:
      return number_at<std::int64_t>(raw, index);
    case GgufType::kFloat64:
      return number_at<double>(raw, index);
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return 0;
}

Result<Gguf> Gguf::open(const std::string& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  Gguf gguf;
  gguf.file_ = std::move(*file);
  gguf.path_ = path;
  GgufReader reader(gguf);
  if (auto status = reader.read(); !status) return status.error();
  return gguf;
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

Error Gguf::missing(std::string_view key) const {
  return invalid_argument(path_ + ": metadata key " + std::string(key) +
                          " is missing; convert the model again with a current converter");
}

Error Gguf::wrong(std::string_view place, const std::string& what) const {
  return invalid_argument(path_ + ": " + std::string(place) + ": " + what);
}

Result<std::optional<std::uint64_t>> Gguf::unsigned_number(std::string_view key) const {
  using Found = std::optional<std::uint64_t>;
  const GgufValue* value = find(key);
  if (value == nullptr) return Found();
  if (const auto* number = std::get_if<std::uint64_t>(value)) return Found(*number);
  const auto* number = std::get_if<std::int64_t>(value);
  if (number == nullptr || *number < 0) return wrong(key, "expected an unsigned number");
  return Found(static_cast<std::uint64_t>(*number));
}

Result<std::optional<double>> Gguf::real_number(std::string_view key) const {
  using Found = std::optional<double>;
  const GgufValue* value = find(key);
  if (value == nullptr) return Found();
  if (const auto* real = std::get_if<double>(value)) return Found(*real);
  if (const auto* whole = std::get_if<std::uint64_t>(value)) {
    return Found(static_cast<double>(*whole));
  }
  return wrong(key, "expected a number");
}

Result<std::optional<bool>> Gguf::boolean(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::optional<bool>();
  if (const auto* flag = std::get_if<bool>(value)) return std::optional<bool>(*flag);
  return wrong(key, "expected true or false");
}

Result<std::optional<std::string_view>> Gguf::text(std::string_view key) const {
  using Found = std::optional<std::string_view>;
  const GgufValue* value = find(key);
  if (value == nullptr) return Found();
  if (const auto* found = std::get_if<std::string_view>(value)) return Found(*found);
  return wrong(key, "expected a string");
}

Result<const GgufArray*> Gguf::numbers(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return static_cast<const GgufArray*>(nullptr);
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->type == GgufType::kString) {
    return wrong(key, "expected an array of numbers");
  }
  return array;
}

Result<const GgufArray*> Gguf::strings(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return static_cast<const GgufArray*>(nullptr);
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->type != GgufType::kString) {
    return wrong(key, "expected an array of strings");
  }
  return array;
}

const GgufTensor* Gguf::tensor(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace backplane::local
