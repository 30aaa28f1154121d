// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/rerank/rank_head.hpp"

#include <cmath>

#include "kernels/dequantize.hpp"
#include "plugins/backends/local/model/file_tensors.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kLabelsMax = 2;

Result<std::vector<float>> read_row(const ModelFile& file, const FileTensor& tensor,
                                    std::size_t row) {
  const auto type = type_of(file, tensor);
  if (!type) return type.error();
  const auto columns = static_cast<std::size_t>(tensor.dimensions[0]);
  std::vector<float> values(columns);
  kernels::dequantize_row(*type, tensor.data.data() + row * kernels::row_bytes(*type, columns),
                          values);
  return values;
}

// The tensor's rows one after the other; one of a single dimension is one row.
Result<std::vector<float>> read_rows(const ModelFile& file, const FileTensor& tensor) {
  const std::size_t rows =
      tensor.dimensions.size() > 1 ? static_cast<std::size_t>(tensor.dimensions[1]) : 1;
  std::vector<float> values;
  for (std::size_t row = 0; row < rows; ++row) {
    auto own = read_row(file, tensor, row);
    if (!own) return own.error();
    values.insert(values.end(), own->begin(), own->end());
  }
  return values;
}

}  // namespace

Result<RankHead::Linear> RankHead::read_linear(const ModelFile& file, const std::string& name,
                                               std::size_t inputs) {
  const FileTensor& weights = *file.tensor(name + ".weight");
  const std::size_t dimensions = weights.dimensions.size();
  if (dimensions == 0 || dimensions > 2 || weights.dimensions[0] != inputs) {
    return file.wrong("tensor " + name + ".weight",
                      "expected rows of " + std::to_string(inputs) + " numbers");
  }
  Linear out;
  auto values = read_rows(file, weights);
  if (!values) return values.error();
  out.weights = std::move(*values);
  out.outputs = out.weights.size() / inputs;
  if (file.tensor(name + ".bias") == nullptr) return out;
  auto offsets = read_vector(file, name + ".bias", out.outputs);
  if (!offsets) return offsets.error();
  out.bias = std::move(*offsets);
  return out;
}

Result<std::optional<RankHead>> RankHead::load(const ModelFile& file) {
  const FileTensor* table = file.tensor("token_embd.weight");
  const bool has_dense = file.tensor("cls.weight") != nullptr;
  const bool has_output = file.tensor("cls.output.weight") != nullptr;
  if (table == nullptr || (!has_dense && !has_output)) return std::optional<RankHead>();
  RankHead head;
  head.inputs_ = static_cast<std::size_t>(table->dimensions[0]);
  std::size_t inputs = head.inputs_;
  if (has_output && has_dense) {
    auto dense = read_linear(file, "cls", inputs);
    if (!dense) return dense.error();
    inputs = dense->outputs;
    head.dense_ = std::move(*dense);
  }
  auto output = read_linear(file, has_output ? "cls.output" : "cls", inputs);
  if (!output) return output.error();
  if (output->outputs == 0 || output->outputs > kLabelsMax) {
    return file.wrong("tensor cls.output.weight", "has " + std::to_string(output->outputs) +
                                                      " labels; a ranking needs one or two");
  }
  head.output_ = std::move(*output);
  return std::optional<RankHead>(std::move(head));
}

Result<std::optional<RankHead>> RankHead::of_answers(const ModelFile& file,
                                                     const Vocabulary& vocabulary) {
  const auto yes = vocabulary.find("yes"), no = vocabulary.find("no");
  const FileTensor* rows = file.tensor("output.weight");
  if (rows == nullptr) rows = file.tensor("token_embd.weight");
  if (!yes || !no || rows == nullptr || rows->dimensions.size() != 2) {
    return std::optional<RankHead>();
  }
  RankHead head;
  head.inputs_ = static_cast<std::size_t>(rows->dimensions[0]);
  Linear output;
  output.outputs = 2;
  for (const Token token : {*yes, *no}) {
    const auto index = static_cast<std::size_t>(token);
    if (index >= rows->dimensions[1]) return std::optional<RankHead>();
    auto row = read_row(file, *rows, index);
    if (!row) return row.error();
    output.weights.insert(output.weights.end(), row->begin(), row->end());
  }
  head.output_ = std::move(output);
  return std::optional<RankHead>(std::move(head));
}

std::vector<float> RankHead::apply(const Linear& linear, std::span<const float> x) {
  std::vector<float> out(linear.outputs);
  for (std::size_t row = 0; row < linear.outputs; ++row) {
    double sum = linear.bias.empty() ? 0 : double{linear.bias[row]};
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += double{linear.weights[row * x.size() + i]} * double{x[i]};
    }
    out[row] = static_cast<float>(sum);
  }
  return out;
}

// One label's probability; of two that of the first, which is a curve over their difference.
float RankHead::score(std::span<const float> state) const {
  std::vector<float> values(state.begin(), state.end());
  if (dense_) {
    values = apply(*dense_, values);
    for (float& value : values) value = std::tanh(value);
  }
  values = apply(output_, values);
  const float evidence = values.size() == 2 ? values[0] - values[1] : values[0];
  return 1.0f / (1.0f + std::exp(-evidence));
}

}  // namespace backplane::local
