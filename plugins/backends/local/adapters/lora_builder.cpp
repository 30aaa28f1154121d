// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/adapters/lora_builder.hpp"

#include <atomic>
#include <filesystem>

#include "plugins/backends/local/model/adaptation.hpp"
#include "plugins/backends/local/model/file_tensors.hpp"

namespace backplane::local {
namespace {

std::string shape_text(const LoraMatrix& matrix) {
  return "[" + std::to_string(matrix.columns) + ", " + std::to_string(matrix.rows) + "]";
}

std::uint64_t next_id() {
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

}  // namespace

LoraAdapter::LoraAdapter(std::string path, std::vector<LoraTarget> targets)
    : id_(next_id()), path_(std::move(path)), targets_(std::move(targets)) {}

Result<std::shared_ptr<const LoraAdapter>> LoraAdapter::load(const std::string& path,
                                                             const ModelFile& base) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return load_peft_adapter(path, base);
  return load_gguf_adapter(path, base);
}

Error LoraBuilder::error(const std::string& place, const std::string& what) const {
  return invalid_argument(path_ + ": " + place + ": " + what);
}

Status LoraBuilder::add(const std::string& name, Half half, const FileTensor& tensor) {
  const std::string place = "tensor " + printable(tensor.name);
  if (find_ggml_type(tensor.type) == nullptr) {
    return error(place, "has a type that adapters cannot have here; use F16");
  }
  const auto type = type_of(ModelFile(path_), tensor);
  if (!type) return type.error();
  if (tensor.dimensions.size() != 2 || tensor.dimensions[0] == 0 || tensor.dimensions[1] == 0) {
    return error(place, "expected a matrix");
  }
  Pair& pair = pairs_[name];
  LoraMatrix& matrix = half == Half::kDown ? pair.down : pair.up;
  if (!matrix.bytes.empty()) return error(place, "occurs twice");
  matrix.type = *type;
  matrix.columns = static_cast<std::size_t>(tensor.dimensions[0]);
  matrix.rows = static_cast<std::size_t>(tensor.dimensions[1]);
  matrix.bytes.assign(tensor.data.begin(), tensor.data.end());
  return ok();
}

Status LoraBuilder::check() const {
  if (pairs_.empty()) return error("tensors", "there is none; it is no adapter");
  for (const auto& [name, pair] : pairs_) {
    if (auto status = check(name, pair); !status) return status;
  }
  return ok();
}

Status LoraBuilder::check(const std::string& name, const Pair& pair) const {
  const std::string place = "adapter of " + printable(name);
  if (pair.down.bytes.empty()) return error(place, "lora_a is missing");
  if (pair.up.bytes.empty()) return error(place, "lora_b is missing");
  const FileTensor* target = base_.tensor(name);
  // A model whose output is its embeddings has no tensor of that name.
  if (target == nullptr && name == "output.weight") target = base_.tensor(kEmbeddingsName);
  if (target == nullptr || target->dimensions.size() != 2) {
    return error(place, "the model has no such matrix; use an adapter that was made for it");
  }
  const bool is_table = name == kEmbeddingsName;
  const std::uint64_t inputs = target->dimensions[is_table ? 1 : 0];
  const std::uint64_t outputs = target->dimensions[is_table ? 0 : 1];
  const std::uint64_t rank = pair.up.columns;
  if ((is_table ? pair.down.columns : pair.down.rows) != rank) {
    return error(place, "lora_a " + shape_text(pair.down) + " and lora_b " + shape_text(pair.up) +
                            " are not of the same rank");
  }
  if (rank > kAdaptationRankMax) {
    return error(place, "has rank " + std::to_string(rank) + ", at most " +
                            std::to_string(kAdaptationRankMax) + " is supported");
  }
  if ((is_table ? pair.down.rows : pair.down.columns) == inputs && pair.up.rows == outputs) {
    return ok();
  }
  return error(place, "lora_a " + shape_text(pair.down) + " and lora_b " + shape_text(pair.up) +
                          " do not fit the model's [" + std::to_string(target->dimensions[0]) +
                          ", " + std::to_string(target->dimensions[1]) +
                          "]; use an adapter that was made for it");
}

}  // namespace backplane::local
