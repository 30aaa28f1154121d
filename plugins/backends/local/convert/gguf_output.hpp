// SPDX-License-Identifier: Apache-2.0
// Writes a GGUF file of version 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md),
// front to back: metadata, the tensors' names and places, then their bytes as they are made. It has
// another name until it is whole; what is left of one that is not is removed. One thread.
#pragma once

#include <backplane/result.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {

struct OutputTensor {
  std::string_view name;
  std::uint32_t type = 0;  // ggml's numbering
  std::vector<std::uint64_t> dimensions;
  std::uint64_t bytes() const;
};

class GgufOutput {
 public:
  explicit GgufOutput(std::string path) : path_(std::move(path)) {}
  ~GgufOutput();
  GgufOutput(const GgufOutput&) = delete;
  GgufOutput& operator=(const GgufOutput&) = delete;

  // Numbers take 32 bits where they fit.
  void set(std::string_view key, const MetadataValue& value);
  // After the last set(): everything up to the first tensor's bytes. kResourceExhausted when the
  // disk has no room for them all.
  Status begin(std::span<const OutputTensor> tensors);
  // The next bytes of the tensors, in the order of begin().
  Status append(std::span<const std::byte> bytes);
  Status end_tensor();
  Status commit();

 private:
  Status write(const char* data, std::size_t size);
  Status check_space(std::uint64_t bytes) const;
  Error failed(const std::string& what) const;
  std::string draft() const { return path_ + ".part"; }

  const std::string path_;
  int file_ = -1;
  std::string entries_;
  std::uint64_t entry_count_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace backplane::local
