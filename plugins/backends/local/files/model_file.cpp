// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/model_file.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <filesystem>

#include "plugins/backends/local/files/gguf_file.hpp"
#include "plugins/backends/local/files/gguf_reader.hpp"
#include "plugins/backends/local/files/hf_folder.hpp"

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

std::size_t MetadataArray::size() const {
  return type == MetadataType::kString ? strings.size() : raw.size() / gguf_type_bytes(type);
}

double MetadataArray::number(std::size_t index) const {
  assert(index < size() && type != MetadataType::kString);
  switch (type) {
    case MetadataType::kUint8:
    case MetadataType::kBool:
      return number_at<std::uint8_t>(raw, index);
    case MetadataType::kInt8:
      return number_at<std::int8_t>(raw, index);
    case MetadataType::kUint16:
      return number_at<std::uint16_t>(raw, index);
    case MetadataType::kInt16:
      return number_at<std::int16_t>(raw, index);
    case MetadataType::kUint32:
      return number_at<std::uint32_t>(raw, index);
    case MetadataType::kInt32:
      return number_at<std::int32_t>(raw, index);
    case MetadataType::kFloat32:
      return number_at<float>(raw, index);
    case MetadataType::kUint64:
      return number_at<std::uint64_t>(raw, index);
    case MetadataType::kInt64:
      return number_at<std::int64_t>(raw, index);
    case MetadataType::kFloat64:
      return number_at<double>(raw, index);
    case MetadataType::kString:
    case MetadataType::kArray:
      break;
  }
  return 0;
}

const FileTensor* find_overlap(std::span<const FileTensor> tensors) {
  std::vector<const FileTensor*> sorted;
  sorted.reserve(tensors.size());
  for (const FileTensor& tensor : tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](const FileTensor* a, const FileTensor* b) {
    return a->data.data() < b->data.data();
  });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const auto before = sorted[i - 1]->data;
    if (before.data() + before.size() > sorted[i]->data.data()) return sorted[i];
  }
  return nullptr;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kShownMax = 64;
  std::string shown;
  for (const char c : text.substr(0, kShownMax)) shown += c >= ' ' && c < 127 ? c : '?';
  return shown;
}

Result<ModelFile> ModelFile::open(const std::string& path, TensorData data) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return open_hf_folder(path, data);
  return open_gguf(path);
}

const MetadataValue* ModelFile::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

std::vector<std::string_view> ModelFile::keys() const {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : metadata_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

void ModelFile::set(std::string_view key, MetadataValue value) {
  metadata_.insert_or_assign(key, std::move(value));
}

std::string_view ModelFile::keep(std::string text) {
  return kept_.emplace_back(std::move(text));
}

std::span<const std::byte> ModelFile::keep(MappedFile file) {
  return mappings_.emplace_back(std::move(file)).bytes();
}

std::span<const std::byte> ModelFile::keep(std::vector<std::byte> bytes) {
  return kept_bytes_.emplace_back(std::move(bytes));
}

bool ModelFile::add(FileTensor tensor) {
  if (!tensor_index_.emplace(tensor.name, tensors_.size()).second) return false;
  tensors_.push_back(std::move(tensor));
  return true;
}

Status ModelFile::merge(ModelFile part) {
  for (FileTensor& tensor : part.tensors_) {
    const std::string_view name = tensor.name;
    if (!add(std::move(tensor))) {
      return part.wrong("tensor " + printable(name), "is in another file of the model, too");
    }
  }
  if (tensors_.size() > kFileTensorsMax) return part.wrong("tensors", "are too many");
  for (MappedFile& mapping : part.mappings_) mappings_.push_back(std::move(mapping));
  assert(part.kept_.empty() && part.kept_bytes_.empty());
  return ok();
}

Error ModelFile::missing(std::string_view key) const {
  return invalid_argument(path_ + ": metadata key " + std::string(key) +
                          " is missing; convert the model again with a current converter");
}

Error ModelFile::wrong(std::string_view place, const std::string& what) const {
  return invalid_argument(path_ + ": " + std::string(place) + ": " + what);
}

Result<std::optional<std::uint64_t>> ModelFile::unsigned_number(std::string_view key) const {
  using Found = std::optional<std::uint64_t>;
  const MetadataValue* value = find(key);
  if (value == nullptr) return Found();
  if (const auto* number = std::get_if<std::uint64_t>(value)) return Found(*number);
  const auto* number = std::get_if<std::int64_t>(value);
  if (number == nullptr || *number < 0) return wrong(key, "expected an unsigned number");
  return Found(static_cast<std::uint64_t>(*number));
}

Result<std::optional<double>> ModelFile::real_number(std::string_view key) const {
  using Found = std::optional<double>;
  const MetadataValue* value = find(key);
  if (value == nullptr) return Found();
  if (const auto* real = std::get_if<double>(value)) return Found(*real);
  if (const auto* whole = std::get_if<std::uint64_t>(value)) {
    return Found(static_cast<double>(*whole));
  }
  return wrong(key, "expected a number");
}

Result<std::optional<bool>> ModelFile::boolean(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::optional<bool>();
  if (const auto* flag = std::get_if<bool>(value)) return std::optional<bool>(*flag);
  return wrong(key, "expected true or false");
}

Result<std::optional<std::string_view>> ModelFile::text(std::string_view key) const {
  using Found = std::optional<std::string_view>;
  const MetadataValue* value = find(key);
  if (value == nullptr) return Found();
  if (const auto* found = std::get_if<std::string_view>(value)) return Found(*found);
  return wrong(key, "expected a string");
}

Result<const MetadataArray*> ModelFile::numbers(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return static_cast<const MetadataArray*>(nullptr);
  const auto* array = std::get_if<MetadataArray>(value);
  if (array == nullptr || array->type == MetadataType::kString) {
    return wrong(key, "expected an array of numbers");
  }
  return array;
}

Result<const MetadataArray*> ModelFile::strings(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return static_cast<const MetadataArray*>(nullptr);
  const auto* array = std::get_if<MetadataArray>(value);
  if (array == nullptr || array->type != MetadataType::kString) {
    return wrong(key, "expected an array of strings");
  }
  return array;
}

const FileTensor* ModelFile::tensor(std::string_view name) const {
  const auto found = tensor_index_.find(name);
  return found == tensor_index_.end() ? nullptr : &tensors_[found->second];
}

}  // namespace backplane::local
