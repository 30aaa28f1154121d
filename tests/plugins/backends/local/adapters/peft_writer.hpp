// SPDX-License-Identifier: Apache-2.0
// Writes an adapter as the peft library lays it out, in a folder that goes with the object.
#pragma once

#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "plugins/backends/local/adapters/lora_adapter.hpp"
#include "tests/plugins/backends/local/adapters/tiny_adapter.hpp"

namespace backplane::local {

struct SafeTensor {
  std::string name;
  std::vector<std::uint64_t> shape;  // slowest first
  std::string data;                  // F32
};

inline std::string safetensors(const std::vector<SafeTensor>& tensors) {
  boost::json::object header;
  std::string data;
  for (const SafeTensor& tensor : tensors) {
    const std::size_t begin = data.size();
    data += tensor.data;
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", boost::json::value_from(tensor.shape)},
                           {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = boost::json::serialize(header);
  std::string out;
  append_number(out, static_cast<std::uint64_t>(text.size()));
  return out + text + data;
}

class PeftFolder {
 public:
  PeftFolder(const LoraAdapter& adapter, bool is_rank_stable) {
    static int count = 0;
    path_ = testing::TempDir() + "backplane_" + std::to_string(::getpid()) + "_peft_" +
            std::to_string(++count);
    std::filesystem::create_directories(path_);
    boost::json::object config{{"peft_type", "LORA"}, {"r", kTinyRank}, {"lora_alpha", kTinyAlpha}};
    config["use_rslora"] = is_rank_stable;
    config["target_modules"] = {"q_proj", "k_proj"};
    config["bias"] = "none";
    write("adapter_config.json", boost::json::serialize(config));
    write("adapter_model.safetensors", safetensors(tensors(adapter)));
  }
  ~PeftFolder() { std::filesystem::remove_all(path_); }
  PeftFolder(const PeftFolder&) = delete;
  PeftFolder& operator=(const PeftFolder&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
  }
  void remove(const std::string& name) const { std::filesystem::remove(path_ + "/" + name); }

 private:
  static std::vector<SafeTensor> tensors(const LoraAdapter& adapter) {
    std::vector<SafeTensor> out;
    for (const LoraTarget& target : adapter.targets()) {
      std::string module;
      for (const TinyTarget& known : tiny_targets()) {
        if (target.name == known.name) module = std::string("base_model.model.") + known.hf_name;
      }
      const bool is_query = target.name.find("attn_q") != std::string::npos;
      const bool is_key = target.name.find("attn_k") != std::string::npos;
      const std::size_t heads = is_query ? 4 : is_key ? 2 : 0;
      out.push_back({module + ".lora_A.weight",
                     {target.down.rows, target.down.columns},
                     text_of(target.down.bytes)});
      out.push_back({module + ".lora_B.weight",
                     {target.up.rows, target.up.columns},
                     heads == 0 ? text_of(target.up.bytes) : halves(target.up, heads)});
    }
    return out;
  }
  static std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // Row 2i of a head is row i of its first half, row 2i + 1 row i of its second.
  static std::string halves(const LoraMatrix& matrix, std::size_t heads) {
    const std::size_t row_bytes = matrix.columns * sizeof(float);
    const std::size_t size = matrix.rows / heads;
    std::string out(matrix.bytes.size(), '\0');
    for (std::size_t head = 0; head < heads; ++head) {
      for (std::size_t i = 0; i < size / 2; ++i) {
        for (std::size_t part = 0; part < 2; ++part) {
          std::memcpy(&out[(head * size + part * size / 2 + i) * row_bytes],
                      &matrix.bytes[(head * size + 2 * i + part) * row_bytes], row_bytes);
        }
      }
    }
    return out;
  }
  std::string path_;
};

}  // namespace backplane::local
