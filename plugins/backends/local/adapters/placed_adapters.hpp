// SPDX-License-Identifier: Apache-2.0
// Adapters on the device of a loaded model: placed there when a batch first needs one, released
// when nobody has it any more. Goes with the model. One thread.
#pragma once

#include <backplane/result.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

#include "kernels/device.hpp"
#include "plugins/backends/local/adapters/lora_adapter.hpp"
#include "plugins/backends/local/model/adaptation.hpp"
#include "plugins/backends/local/model/device_memory.hpp"
#include "plugins/backends/local/model/model.hpp"

namespace backplane::local {

class PlacedAdapters {
 public:
  // Both outlive this.
  PlacedAdapters(kernels::Device& device, const Model& model) : device_(device), model_(model) {}

  // Valid as long as `adapter` lives and no forward() may use it after that. kResourceExhausted
  // when the device has no memory left.
  Result<const Adaptation*> place(const std::shared_ptr<const LoraAdapter>& adapter);
  // Releases those that nobody has any more.
  void sweep();
  std::size_t count() const { return placed_.size(); }

 private:
  struct Placed {
    std::weak_ptr<const LoraAdapter> adapter;
    Adaptation adaptation;
    std::vector<DeviceMemory> memory;
  };
  Status place(const LoraTarget& target, Placed& out);
  Result<kernels::Weights> upload(const LoraMatrix& matrix, Placed& out);

  kernels::Device& device_;
  const Model& model_;
  std::unordered_map<std::uint64_t, Placed> placed_;  // by the adapter's id
};

}  // namespace backplane::local
