// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/hf_folder.hpp"

#include <filesystem>
#include <set>

#include "plugins/backends/local/files/hf_tensors.hpp"
#include "plugins/backends/local/files/hf_tokenizer.hpp"
#include "plugins/backends/local/files/json_file.hpp"
#include "plugins/backends/local/files/safetensors_reader.hpp"
#include "plugins/backends/local/tokenizer/sentencepiece_model.hpp"
#include "plugins/backends/local/tokenizer/tokenizer_json.hpp"

namespace backplane::local {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

class FolderReader {
 public:
  FolderReader(const std::string& folder, TensorData data, ModelFile& out)
      : folder_(folder), data_(data), out_(out) {}

  Status read() {
    const auto config = read_hf_config(folder_ / "config.json", out_);
    if (!config && config.error().code == Code::kNotFound) {
      return invalid_argument(folder_.string() +
                              ": has no config.json; name a GGUF file or the folder of a model");
    }
    if (!config) return config.error();
    const auto files = find_files();
    if (!files) return files.error();
    HfTensors tensors(*config, data_, out_);
    for (const std::string& file : *files) {
      if (auto status = read_file(file, tensors); !status) return status;
    }
    describe();
    if (auto status = read_tokenizer(); !status) return status;
    return read_hf_tokenizer(folder_, out_);
  }

 private:
  // In the order of their names, so that the tensors always come in one order.
  Result<std::set<std::string>> find_files() const {
    std::error_code failure;
    if (fs::exists(folder_ / kWeights, failure)) return std::set<std::string>{kWeights};
    const std::string path = folder_ / kIndex;
    const auto index = read_json_file(path);
    if (!index && index.error().code == Code::kNotFound) {
      return invalid_argument(folder_.string() + ": has neither " + kWeights + " nor " + kIndex +
                              "; fetch the weights");
    }
    if (!index) return index.error();
    const json::value* map = find_field(*index, "weight_map");
    if (map == nullptr || !map->is_object()) {
      return invalid_argument(path + ": has no weight_map; fetch it again");
    }
    std::set<std::string> files;
    for (const auto& [tensor, file] : map->get_object()) {
      const std::string name(file.is_string() ? std::string_view(file.get_string()) : "");
      if (name.empty() || name.find('/') != std::string::npos || name[0] == '.') {
        return invalid_argument(path + ": weight_map: tensor " + printable(tensor) +
                                ": expected the name of a file in this folder");
      }
      files.insert(name);
      if (files.size() > kHfShardsMax) {
        return invalid_argument(path + ": names more than " + std::to_string(kHfShardsMax) +
                                " files");
      }
    }
    return files;
  }

  Status read_file(const std::string& name, HfTensors& tensors) {
    const std::string path = folder_ / name;
    auto mapping = MappedFile::open(path);
    if (!mapping && mapping.error().code == Code::kNotFound) {
      Error error = mapping.error();
      error.message = path + ": is missing, though " + kIndex + " names it; fetch it, too";
      return error;
    }
    if (!mapping) return mapping.error();
    const auto found = read_safetensors(path, out_.keep(std::move(*mapping)), out_);
    if (!found) return found.error();
    for (const FileTensor& tensor : *found) {
      if (auto status = tensors.add(path, tensor); !status) return status;
    }
    if (out_.tensors().size() <= kFileTensorsMax) return ok();
    return invalid_argument(path + ": the model has more than " + std::to_string(kFileTensorsMax) +
                            " tensors");
  }

  // What tokenizer_config.json adds comes after. Without a tokenizer the tokenizer's loader says
  // what is missing.
  Status read_tokenizer() {
    constexpr std::pair<const char*, Status (*)(std::string_view, ModelFile&)> kKinds[] = {
        {"tokenizer.json", read_tokenizer_json}, {"tokenizer.model", read_sentencepiece_model}};
    for (const auto& [name, read] : kKinds) {
      const auto file = MappedFile::open(folder_ / name);
      if (!file && file.error().code == Code::kNotFound) continue;
      if (!file) return file.error();
      const auto bytes = file->bytes();
      return read({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, out_);
    }
    return ok();
  }

  void describe() {
    const fs::path plain = folder_.filename().empty() ? folder_.parent_path() : folder_;
    out_.set("general.name", out_.keep(plain.filename()));
  }

  const fs::path folder_;
  const TensorData data_;
  ModelFile& out_;
};

}  // namespace

Result<ModelFile> open_hf_folder(const std::string& path, TensorData data) {
  ModelFile file(path);
  if (auto status = FolderReader(path, data, file).read(); !status) return status.error();
  return file;
}

}  // namespace backplane::local
