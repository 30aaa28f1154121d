// SPDX-License-Identifier: Apache-2.0
// Fills a ModelFile from the bytes of one GGUF file, front to back; they live as long as it does.
// Used by open_gguf only.
#pragma once

#include <string>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

// Bytes of one number of this type; 0 for strings and arrays.
std::size_t gguf_type_bytes(MetadataType type);

class GgufReader {
 public:
  GgufReader(std::span<const std::byte> bytes, ModelFile& file) : file_(file), bytes_(bytes) {}
  Status read();

 private:
  Status read_header();
  Status read_entry(std::uint64_t index);
  Status read_value(MetadataType type, MetadataValue& out);
  Status read_number(MetadataType type, MetadataValue& out);
  Status read_array(MetadataArray& array);
  Result<std::string_view> read_string(std::uint64_t bytes_max);
  Status read_tensor(std::uint64_t index);
  Status place_tensors();
  Status place_tensor(FileTensor& tensor, std::uint64_t offset);
  template <class Number>
  Result<Number> take();
  std::size_t left() const { return bytes_.size() - position_; }
  Error error(const std::string& what) const;
  Error truncated() const;

  ModelFile& file_;
  std::span<const std::byte> bytes_;
  std::size_t position_ = 0;
  std::string place_ = "header";  // what is being read, for messages
  std::uint64_t tensor_count_ = 0;
  std::uint64_t entry_count_ = 0;
  std::vector<std::uint64_t> offsets_;
};

}  // namespace backplane::local
