// SPDX-License-Identifier: Apache-2.0
// Writes GGUF files, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace backplane::local {

class GgufWriter {
 public:
  struct Tensor {
    std::string name;
    std::uint32_t type;
    std::vector<std::uint64_t> dimensions;
    std::string data;
  };

  std::uint32_t version = 3;
  std::uint64_t alignment = 32;

  void add_unsigned(const std::string& key, std::uint32_t value);
  void add_real(const std::string& key, float value);
  void add_boolean(const std::string& key, bool value);
  void add_text(const std::string& key, const std::string& value);
  void add_texts(const std::string& key, const std::vector<std::string>& values);
  void add_integers(const std::string& key, const std::vector<std::int32_t>& values);
  void add_reals(const std::string& key, const std::vector<float>& values);
  // A metadata entry given as its bytes after the key.
  void add_raw(const std::string& key, const std::string& bytes);
  void add_tensor(const std::string& name, std::uint32_t type,
                  const std::vector<std::uint64_t>& dimensions, std::string data);
  void drop_tensor(const std::string& name);
  const std::vector<Tensor>& tensors() const { return tensors_; }

  std::string bytes() const;
  // Writes the file under the test's temporary folder and returns its path.
  std::string save(const std::string& name) const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
  std::vector<Tensor> tensors_;
};

template <class Number>
void append_number(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}
void append_text(std::string& out, const std::string& text);
std::string save_file(const std::string& name, const std::string& bytes);

}  // namespace backplane::local
