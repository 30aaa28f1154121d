// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/convert/conversion.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels/cpu/thread_pool.hpp"
#include "kernels/dequantize.hpp"
#include "kernels/quantize.hpp"
#include "plugins/backends/local/convert/gguf_output.hpp"
#include "plugins/backends/local/model/file_tensors.hpp"

namespace backplane::local {
namespace {

using kernels::Type;

constexpr std::size_t kPieceWeights = std::size_t{1} << 22U;
constexpr std::uint64_t kQuantizationVersion = 2;
constexpr std::size_t kNotedTensorsMax = 20;

std::uint32_t ggml_type_of(Type type) {
  const std::string_view name = kernels::layout_of(type).name;
  std::uint32_t id = 0;
  while (find_ggml_type(id) == nullptr || find_ggml_type(id)->name != name) ++id;
  return id;
}

std::uint64_t rows_of(const FileTensor& tensor) {
  std::uint64_t rows = 1;
  for (std::size_t i = 1; i < tensor.dimensions.size(); ++i) rows *= tensor.dimensions[i];
  return rows;
}

class Converter {
 public:
  Converter(const ModelFile& source, const std::string& path, const ConversionOptions& options,
            Progress& progress)
      : source_(source),
        options_(options),
        progress_(progress),
        output_(path),
        pool_(options.threads == 0 ? kernels::available_cpus() : options.threads) {}

  Result<Conversion> run();

 private:
  Status plan();
  void set_metadata();
  Status convert(const FileTensor& tensor, Type from, Type to);
  Status convert_rows(const FileTensor& tensor, Type from, Type to, std::uint64_t first,
                      std::size_t rows);

  const ModelFile& source_;
  const ConversionOptions& options_;
  Progress& progress_;
  GgufOutput output_;
  kernels::ThreadPool pool_;
  std::vector<Type> from_;
  std::vector<Type> to_;
  std::vector<OutputTensor> tensors_;
  std::vector<std::byte> bytes_;
  Conversion result_;
};

Status Converter::plan() {
  const ModelShape shape = shape_of(source_);
  std::vector<std::string> fallen;
  bool is_quantized = false;
  for (const FileTensor& tensor : source_.tensors()) {
    const auto from = type_of(source_, tensor);
    if (!from) return from.error();
    const Choice choice = choose_type(options_.recipe, shape, tensor);
    const bool is_matrix = tensor.dimensions.size() > 1;
    is_quantized |= is_matrix && kernels::layout_of(*from).block_weights > 1;
    if (choice.is_fallback) {
      fallen.push_back(printable(tensor.name) + " is " + kernels::layout_of(choice.type).name +
                       ": its rows of " + std::to_string(tensor.dimensions[0]) +
                       " are not whole blocks");
    }
    from_.push_back(*from);
    to_.push_back(choice.type);
    tensors_.push_back({tensor.name, ggml_type_of(choice.type), tensor.dimensions});
    result_.weights += tensor.dimensions[0] * rows_of(tensor);
    result_.source_bytes += tensor.data.size();
    result_.bytes += tensors_.back().bytes();
  }
  if (is_quantized) {
    result_.notes.push_back("the source is quantised already: what it lost stays lost");
  }
  if (fallen.size() > kNotedTensorsMax) {
    const std::string rest = std::to_string(fallen.size() - kNotedTensorsMax);
    fallen.resize(kNotedTensorsMax);
    fallen.push_back("and " + rest + " more tensors like these");
  }
  result_.notes.insert(result_.notes.end(), fallen.begin(), fallen.end());
  return ok();
}

void Converter::set_metadata() {
  for (const std::string_view key : source_.keys()) {
    const bool is_own = key.starts_with("split.") || key == "general.alignment" ||
                        key == "general.file_type" || key == "general.quantization_version";
    if (!is_own) output_.set(key, *source_.find(key));
  }
  output_.set("general.file_type", std::uint64_t{options_.recipe.file_type});
  output_.set("general.quantization_version", kQuantizationVersion);
}

Status Converter::convert_rows(const FileTensor& tensor, Type from, Type to, std::uint64_t first,
                               std::size_t rows) {
  const auto columns = static_cast<std::size_t>(tensor.dimensions[0]);
  const std::size_t from_bytes = kernels::row_bytes(from, columns);
  const std::size_t to_bytes = kernels::row_bytes(to, columns);
  const std::byte* source = tensor.data.data() + first * from_bytes;
  std::atomic<bool> is_finite = true;
  bytes_.resize(rows * to_bytes);
  pool_.for_each_chunk(
      rows, 1 + rows / (8 * pool_.threads()), [&](std::size_t begin, std::size_t end) {
        std::vector<float> weights(columns);
        for (std::size_t row = begin; row < end; ++row) {
          kernels::dequantize_row(from, source + row * from_bytes, weights);
          const bool all = std::all_of(weights.begin(), weights.end(),
                                       [](float weight) { return std::isfinite(weight); });
          if (!all) is_finite = false;
          if (all) kernels::quantize_row(to, weights, bytes_.data() + row * to_bytes);
        }
      });
  if (is_finite) return output_.append(bytes_);
  return source_.wrong("tensor " + printable(tensor.name),
                       "holds a weight that is infinite or no number; the file is damaged");
}

Status Converter::convert(const FileTensor& tensor, Type from, Type to) {
  const std::uint64_t rows = rows_of(tensor);
  const std::uint64_t step = std::max<std::uint64_t>(1, kPieceWeights / tensor.dimensions[0]);
  for (std::uint64_t first = 0; first < rows; first += step) {
    const auto count = static_cast<std::size_t>(std::min(step, rows - first));
    if (auto status = convert_rows(tensor, from, to, first, count); !status) return status;
    progress_.add(count * kernels::row_bytes(from, static_cast<std::size_t>(tensor.dimensions[0])));
  }
  return output_.end_tensor();
}

Result<Conversion> Converter::run() {
  if (auto status = plan(); !status) return status.error();
  set_metadata();
  if (auto status = output_.begin(tensors_); !status) return status.error();
  progress_.begin("converting", 0, result_.source_bytes);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (auto status = convert(source_.tensors()[i], from_[i], to_[i]); !status) {
      return status.error();
    }
  }
  progress_.end();
  if (auto status = output_.commit(); !status) return status.error();
  return result_;
}

}  // namespace

Result<Conversion> convert_model(const ModelFile& source, const std::string& path,
                                 const ConversionOptions& options, Progress& progress) {
  return Converter(source, path, options, progress).run();
}

}  // namespace backplane::local
