// SPDX-License-Identifier: Apache-2.0
// Writes the tiny models, or anything else, as Hugging Face lays models out: what the reader does
// to config and tensors, the other way round.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "tests/plugins/backends/local/tiny_architectures.hpp"

namespace backplane::local {

struct StoredTensor {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;  // slowest first
  std::string data;
};

std::string safetensors_bytes(const std::vector<StoredTensor>& tensors);

class HfFolder {
 public:
  // An empty folder under the test's temporary one.
  explicit HfFolder(const std::string& name);
  const std::string& path() const { return path_; }
  // Returns the path.
  std::string write(const std::string& file, const std::string& bytes) const;
  void remove(const std::string& file) const;

 private:
  std::string path_;
};

// Of an architecture of tiny_architectures().
boost::json::object hf_config(const std::string& architecture);
// `type`: 0 F32, 1 F16, 30 BF16, of vectors as well. Names begin with `prefix`.
std::vector<StoredTensor> hf_tensors(const std::string& architecture, std::uint32_t type,
                                     const std::string& prefix = "");
// All files of the model, the weights in one.
HfFolder hf_model(const std::string& architecture, std::uint32_t type);

}  // namespace backplane::local
