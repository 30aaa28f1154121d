// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/adapters/placed_adapters.hpp"

namespace backplane::local {

Result<const Adaptation*> PlacedAdapters::place(const std::shared_ptr<const LoraAdapter>& adapter) {
  if (const auto found = placed_.find(adapter->id()); found != placed_.end()) {
    return &std::as_const(found->second.adaptation);
  }
  sweep();
  Placed placed;
  placed.adapter = adapter;
  for (const LoraTarget& target : adapter->targets()) {
    if (auto status = place(target, placed); !status) {
      Error error = status.error();
      error.message = adapter->path() + ": " + error.message;
      return error;
    }
  }
  const auto added = placed_.emplace(adapter->id(), std::move(placed)).first;
  return &std::as_const(added->second.adaptation);
}

void PlacedAdapters::sweep() {
  std::erase_if(placed_, [](const auto& entry) { return entry.second.adapter.expired(); });
}

// A matrix that went to several places has the rows of its change there as well.
Status PlacedAdapters::place(const LoraTarget& target, Placed& out) {
  const auto down = upload(target.down, out);
  if (!down) return down.error();
  const auto up = upload(target.up, out);
  if (!up) return up.error();
  if (target.name == kEmbeddingsName) {
    out.adaptation.set_embeddings({*down, *up, target.scale});
    return ok();
  }
  const auto parts = model_.parts_of(target.name);
  if (parts.empty()) {
    return invalid_argument("the model does not use " + printable(target.name) +
                            " in a way that an adapter can change");
  }
  for (const WeightPart& part : parts) {
    kernels::Weights own = *up;
    own.data += part.first_row * kernels::row_bytes(up->type, up->columns);
    own.rows = part.weights.rows;
    out.adaptation.add(part.weights, {*down, own, target.scale});
  }
  return ok();
}

Result<kernels::Weights> PlacedAdapters::upload(const LoraMatrix& matrix, Placed& out) {
  constexpr std::size_t kFloat = sizeof(float);
  DeviceMemory memory(device_, (matrix.bytes.size() + kFloat - 1) / kFloat, 1);
  if (!memory) {
    return Error{Code::kResourceExhausted, "no memory on the device for the adapter", {}, 0, 0};
  }
  device_.upload(memory.floats(), matrix.bytes);
  const auto* data = reinterpret_cast<const std::byte*>(memory.floats());
  out.memory.push_back(std::move(memory));
  return kernels::Weights{data, matrix.type, matrix.rows, matrix.columns};
}

}  // namespace backplane::local
