// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/embeddings/pooling.hpp"

#include <cmath>
#include <string>

namespace backplane::local {

std::optional<Pooling> pooling_of(std::string_view name) {
  if (name == "mean") return Pooling::kMean;
  if (name == "cls") return Pooling::kCls;
  if (name == "last") return Pooling::kLast;
  return std::nullopt;
}

// The format's numbers: 0 none, 1 mean, 2 cls, 3 last, 4 rank.
Result<FilePooling> pooling_of(const ModelFile& file) {
  const auto architecture = file.text("general.architecture");
  if (!architecture) return architecture.error();
  const std::string key = std::string(architecture->value_or("")) + ".pooling_type";
  const auto type = file.unsigned_number(key);
  if (!type) return type.error();
  switch (type->value_or(0)) {
    case 0:
      return FilePooling{};
    case 1:
      return FilePooling{Pooling::kMean, true};
    case 2:
      return FilePooling{Pooling::kCls, true};
    case 3:
    case 4:
      return FilePooling{Pooling::kLast, true};
    default:
      return file.wrong(key, "is " + std::to_string(**type) + ", expected 0 to 4");
  }
}

bool Pooler::wants(std::size_t position) const {
  switch (pooling_) {
    case Pooling::kMean:
      return true;
    case Pooling::kCls:
      return position == 0;
    case Pooling::kLast:
      return position + 1 == tokens_;
  }
  return false;
}

void Pooler::add(std::span<const float> state) {
  sums_.resize(state.size());
  for (std::size_t i = 0; i < state.size(); ++i) sums_[i] += double{state[i]};
}

std::vector<float> Pooler::pooled() const {
  const double count = pooling_ == Pooling::kMean ? static_cast<double>(tokens_) : 1;
  std::vector<float> vector;
  vector.reserve(sums_.size());
  for (const double sum : sums_) vector.push_back(static_cast<float>(sum / count));
  return vector;
}

void normalise(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += double{value} * double{value};
  if (!(squares > 0)) return;
  const double length = std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(double{value} / length);
}

}  // namespace backplane::local
