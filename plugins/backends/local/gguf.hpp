// SPDX-License-Identifier: Apache-2.0
// GGUF, versions 2 and 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): a model
// file's metadata and tensors, read from a mapping without copying. Every string, array and
// tensor handed out points into the mapping and lives as long as the Gguf object.
//
// The file is not trusted: every count, length and offset is checked against the bytes that are
// there, and what is allocated is bounded by the size of the file. Errors name the file, the
// place, and what to do. Immutable after open(): any thread may read.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "plugins/backends/local/mapped_file.hpp"

namespace backplane::local {

inline constexpr std::uint64_t kGgufEntriesMax = 1u << 16;  // metadata entries
inline constexpr std::uint64_t kGgufTensorsMax = 1u << 16;
inline constexpr std::uint64_t kGgufNameBytesMax = 1u << 16;  // a key or a tensor's name
inline constexpr std::uint32_t kGgufDimensionsMax = 4;

// Numbering of the format.
enum class GgufType : std::uint32_t {
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
struct GgufArray {
  GgufType type = GgufType::kUint8;
  std::span<const std::byte> raw;         // numbers, as stored
  std::vector<std::string_view> strings;  // when type is kString
  std::size_t size() const;
  // Element `index` of a numeric array.
  double number(std::size_t index) const;
};

using GgufValue =
    std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, GgufArray>;

struct GgufTensor {
  std::string_view name;
  std::uint32_t type = 0;                 // ggml's numbering; only known types are loaded
  std::vector<std::uint64_t> dimensions;  // fastest first
  std::span<const std::byte> data;
};

class Gguf {
 public:
  static Result<Gguf> open(const std::string& path);

  const std::string& path() const { return path_; }
  std::uint32_t version() const { return version_; }

  const GgufValue* find(std::string_view key) const;
  // Absent keys give nullopt; a value of another type is an error.
  Result<std::optional<std::uint64_t>> unsigned_number(std::string_view key) const;
  Result<std::optional<double>> real_number(std::string_view key) const;
  Result<std::optional<bool>> boolean(std::string_view key) const;
  Result<std::optional<std::string_view>> text(std::string_view key) const;
  // The array of `key`, or nullptr when absent.
  Result<const GgufArray*> numbers(std::string_view key) const;
  Result<const GgufArray*> strings(std::string_view key) const;
  // The error for a key that must be there.
  Error missing(std::string_view key) const;
  Error wrong(std::string_view place, const std::string& what) const;

  const GgufTensor* tensor(std::string_view name) const;
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

 private:
  friend class GgufReader;
  MappedFile file_;
  std::string path_;
  std::uint32_t version_ = 0;
  std::unordered_map<std::string_view, GgufValue> metadata_;
  std::vector<GgufTensor> tensors_;
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

}  // namespace backplane::local
