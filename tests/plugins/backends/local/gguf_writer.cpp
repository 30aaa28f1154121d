// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/backends/local/gguf_writer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace backplane::local {
namespace {

enum : std::uint32_t { kUint32 = 4, kInt32 = 5, kFloat32 = 6, kBool = 7, kString = 8, kArray = 9 };

template <class Element, class Append>
std::string array_bytes(std::uint32_t type, const std::vector<Element>& values,
                        const Append& append) {
  std::string out;
  append_number(out, std::uint32_t{kArray});
  append_number(out, type);
  append_number(out, static_cast<std::uint64_t>(values.size()));
  for (const Element& value : values) append(out, value);
  return out;
}

template <class Number>
std::string number_bytes(std::uint32_t type, Number value) {
  std::string out;
  append_number(out, type);
  append_number(out, value);
  return out;
}

}  // namespace

void append_text(std::string& out, const std::string& text) {
  append_number(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

void GgufWriter::add_raw(const std::string& key, const std::string& bytes) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.first == key; });
  entries_.emplace_back(key, bytes);
}
void GgufWriter::add_unsigned(const std::string& key, std::uint32_t value) {
  add_raw(key, number_bytes(kUint32, value));
}
void GgufWriter::add_real(const std::string& key, float value) {
  add_raw(key, number_bytes(kFloat32, value));
}
void GgufWriter::add_boolean(const std::string& key, bool value) {
  add_raw(key, number_bytes(kBool, static_cast<std::uint8_t>(value)));
}
void GgufWriter::add_text(const std::string& key, const std::string& value) {
  std::string out;
  append_number(out, std::uint32_t{kString});
  append_text(out, value);
  add_raw(key, out);
}
void GgufWriter::add_texts(const std::string& key, const std::vector<std::string>& values) {
  add_raw(key, array_bytes(kString, values, append_text));
}
void GgufWriter::add_integers(const std::string& key, const std::vector<std::int32_t>& values) {
  add_raw(key, array_bytes(kInt32, values, append_number<std::int32_t>));
}
void GgufWriter::add_reals(const std::string& key, const std::vector<float>& values) {
  add_raw(key, array_bytes(kFloat32, values, append_number<float>));
}

void GgufWriter::add_tensor(const std::string& name, std::uint32_t type,
                            const std::vector<std::uint64_t>& dimensions, std::string data) {
  drop_tensor(name);
  tensors_.push_back({name, type, dimensions, std::move(data)});
}

void GgufWriter::drop_tensor(const std::string& name) {
  std::erase_if(tensors_, [&](const Tensor& tensor) { return tensor.name == name; });
}

std::string GgufWriter::bytes() const {
  std::string out = "GGUF";
  append_number(out, version);
  append_number(out, static_cast<std::uint64_t>(tensors_.size()));
  append_number(out, static_cast<std::uint64_t>(entries_.size()));
  for (const auto& [key, value] : entries_) {
    append_text(out, key);
    out += value;
  }
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    append_text(out, tensor.name);
    append_number(out, static_cast<std::uint32_t>(tensor.dimensions.size()));
    for (const std::uint64_t dimension : tensor.dimensions) append_number(out, dimension);
    append_number(out, tensor.type);
    append_number(out, offset);
    offset += (tensor.data.size() + alignment - 1) / alignment * alignment;
  }
  for (const Tensor& tensor : tensors_) {
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    out += tensor.data;
  }
  return out;
}

std::string GgufWriter::save(const std::string& name) const {
  return save_file(name, bytes());
}

std::string save_file(const std::string& name, const std::string& bytes) {
  const std::string path =
      testing::TempDir() + "backplane_" + std::to_string(::getpid()) + "_" + name;
  // A new file each time: rewriting one in place makes some file systems flush it to the disk.
  std::remove(path.c_str());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace backplane::local
