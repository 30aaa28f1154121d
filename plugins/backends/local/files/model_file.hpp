// SPDX-License-Identifier: Apache-2.0
// A model's metadata and tensors, in the names and shapes of GGUF
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3), whatever it was
// read from, mapped and without copying where the bytes are the same. Every string, array and
// tensor handed out lives as long as the ModelFile object.
//
// The file is not trusted: every count, length and offset is checked against the bytes that are
// there, no two tensors share bytes, and what is allocated is bounded by the size of the file.
// Errors name the file, the place, and what to do. Immutable after open(): any thread may read.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "plugins/backends/local/files/mapped_file.hpp"

namespace backplane::local {

inline constexpr std::uint64_t kGgufEntriesMax = 1u << 16;  // metadata entries
inline constexpr std::uint64_t kFileTensorsMax = 1u << 16;
inline constexpr std::uint64_t kGgufNameBytesMax = 1u << 16;  // a key or a tensor's name
inline constexpr std::uint32_t kGgufDimensionsMax = 4;

// Numbering of the format.
enum class MetadataType : std::uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64
};

// An array of numbers (read by value) or of strings.
struct MetadataArray {
  MetadataType type = MetadataType::kUint8;
  std::span<const std::byte> raw;         // numbers, as stored
  std::vector<std::string_view> strings;  // when type is kString
  std::size_t size() const;
  // Element `index` of a numeric array.
  double number(std::size_t index) const;
};

using MetadataValue =
    std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, MetadataArray>;

struct FileTensor {
  std::string_view name;
  std::uint32_t type = 0;                 // ggml's numbering; only known types are loaded
  std::vector<std::uint64_t> dimensions;  // fastest first
  std::span<const std::byte> data;
};

// Whether tensors whose numbers must be made of others get them. Where they do not, these tensors
// have no data, and what is left is for who wants to know of a model and not to run it.
enum class TensorData : std::uint8_t { kMake, kLeave };

class ModelFile {
 public:
  // A GGUF file; of a model in parts the first, whose name ends in "-00001-of-0000N.gguf". Or a
  // folder as Hugging Face has it: config.json, tokenizer.json, safetensors files.
  static Result<ModelFile> open(const std::string& path, TensorData data = TensorData::kMake);
  explicit ModelFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::uint32_t version() const { return version_; }

  const MetadataValue* find(std::string_view key) const;
  // All of them, in order.
  std::vector<std::string_view> keys() const;
  // Absent keys give nullopt; a value of another type is an error.
  Result<std::optional<std::uint64_t>> unsigned_number(std::string_view key) const;
  Result<std::optional<double>> real_number(std::string_view key) const;
  Result<std::optional<bool>> boolean(std::string_view key) const;
  Result<std::optional<std::string_view>> text(std::string_view key) const;
  // The array of `key`, or nullptr when absent.
  Result<const MetadataArray*> numbers(std::string_view key) const;
  Result<const MetadataArray*> strings(std::string_view key) const;
  // The error for a key that must be there.
  Error missing(std::string_view key) const;
  Error wrong(std::string_view place, const std::string& what) const;

  // For readers of other formats: adds or replaces an entry. What key and value point to must live
  // as long as this object, as the texts do that keep() took.
  void set(std::string_view key, MetadataValue value);
  std::string_view keep(std::string text);
  std::span<const std::byte> keep(MappedFile file);
  std::span<const std::byte> keep(std::vector<std::byte> bytes);
  void erase(std::string_view key) { metadata_.erase(key); }
  // False when there is one of that name.
  bool add(FileTensor tensor);
  // Takes over what `part` holds of tensors, not its metadata. The error names one that is in both.
  Status merge(ModelFile part);

  const FileTensor* tensor(std::string_view name) const;
  const std::vector<FileTensor>& tensors() const { return tensors_; }

 private:
  friend class GgufReader;
  std::string path_;
  std::uint32_t version_ = 0;
  std::unordered_map<std::string_view, MetadataValue> metadata_;
  std::vector<MappedFile> mappings_;
  std::deque<std::string> kept_;
  std::vector<std::vector<std::byte>> kept_bytes_;
  std::vector<FileTensor> tensors_;
  std::unordered_map<std::string_view, std::size_t> tensor_index_;
};

// How ggml stores a tensor type: name, weights and bytes of a block. nullptr for unknown ids.
struct GgmlType {
  std::uint32_t id;
  const char* name;
  std::uint32_t block_weights;
  std::uint32_t block_bytes;
};
const GgmlType* find_ggml_type(std::uint32_t id);

// A tensor whose bytes are also another's, or nullptr. All lie in one mapping.
const FileTensor* find_overlap(std::span<const FileTensor> tensors);
// Names from a file may hold anything; messages show their beginning in printable ASCII.
std::string printable(std::string_view text);

}  // namespace backplane::local
