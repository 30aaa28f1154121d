// SPDX-License-Identifier: Apache-2.0
// The parts of a Model that heed adaptations.
#include <algorithm>
#include <cassert>

#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

using kernels::ConstMatrix;
using kernels::Matrix;

std::span<const WeightPart> Model::parts_of(std::string_view name) const {
  const auto found = parts_.find(std::string(name));
  if (found == parts_.end()) return {};
  return found->second;
}

Status Model::allow_adaptations() {
  std::size_t columns = 0, rows = 0;
  for (const auto& [name, parts] : parts_) {
    for (const WeightPart& part : parts) {
      columns = std::max(columns, part.weights.columns);
      const bool is_table =
          part.weights.data == embeddings_.data || part.weights.data == output_.weights.data;
      if (!is_table) rows = std::max(rows, part.weights.rows);
    }
  }
  const std::size_t outputs = std::max(batch_tokens_max_ * rows, logits_rows_max_ * vocabulary());
  adapted_in_ = DeviceMemory(device_, batch_tokens_max_, columns);
  adapted_low_ = DeviceMemory(device_, batch_tokens_max_, kAdaptationRankMax);
  adapted_out_ = DeviceMemory(device_, outputs, 1);
  if (adapted_in_ && adapted_low_ && adapted_out_) return ok();
  return Error{Code::kResourceExhausted, "no memory to compute adapters in", {}, 0, 0};
}

void Model::group(std::span<const BatchEntry> batch, bool only_logits) {
  adapted_.clear();
  std::uint32_t row = 0;
  for (const BatchEntry& entry : batch) {
    if (only_logits && !entry.wants_logits) continue;
    const std::uint32_t own_row = row++;
    if (entry.adaptation == nullptr) continue;
    assert(adapted_in_);
    auto own = std::find_if(adapted_.begin(), adapted_.end(), [&](const Adapted& group) {
      return group.adaptation == entry.adaptation;
    });
    if (own == adapted_.end()) own = adapted_.insert(own, {entry.adaptation, {}, {}});
    own->rows.push_back(own_row);
    own->scales.push_back(entry.adaptation_scale);
  }
}

void Model::multiply(const kernels::Weights& weights, ConstMatrix x, Matrix out) {
  device_.matmul(weights, x, out);
  for (const Adapted& group : adapted_) {
    const Adaptation::Change* change = group.adaptation->find(weights);
    if (change == nullptr) continue;
    const Matrix low{adapted_low_.floats(), group.rows.size(), change->down.rows};
    ConstMatrix inputs = x;
    if (group.rows.size() < x.rows) {
      const Matrix gathered{adapted_in_.floats(), group.rows.size(), x.columns};
      device_.gather(x, group.rows, gathered);
      inputs = gathered;
    }
    device_.matmul(change->down, inputs, low);
    add_change(group, *change, low, out);
  }
}

void Model::embed(std::span<const std::int32_t> tokens, Matrix out) {
  device_.embed(embeddings_, tokens, out);
  for (const Adapted& group : adapted_) {
    const Adaptation::Change* change = group.adaptation->embeddings();
    if (change == nullptr) continue;
    std::vector<std::int32_t> own;
    for (const std::uint32_t row : group.rows) own.push_back(tokens[row]);
    const Matrix low{adapted_low_.floats(), own.size(), change->up.columns};
    device_.embed(change->down, own, low);
    add_change(group, *change, low, out);
  }
}

void Model::add_change(const Adapted& group, const Adaptation::Change& change, ConstMatrix low,
                       Matrix out) {
  const Matrix added{adapted_out_.floats(), group.rows.size(), out.columns};
  device_.matmul(change.up, low, added);
  std::vector<float> factors = group.scales;
  for (float& factor : factors) factor *= change.scale;
  device_.add_rows(out, group.rows, factors, added);
}

void Model::read_hidden(std::span<const BatchEntry> batch) {
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].wants_hidden) rows.push_back(static_cast<std::uint32_t>(i));
  }
  host_hidden_.resize(rows.size() * parameters_.embedding);
  if (rows.empty()) return;
  const Matrix hidden = scratch(hidden_, batch.size(), parameters_.embedding);
  const Matrix wanted = scratch(normed_, rows.size(), parameters_.embedding);
  device_.gather(hidden, rows, wanted);
  normalize(wanted, final_norm_, wanted);
  device_.download(std::as_writable_bytes(std::span<float>(host_hidden_)), wanted.data);
}

}  // namespace backplane::local
