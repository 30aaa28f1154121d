// SPDX-License-Identifier: Apache-2.0
// Memory of a device, released with the object. Empty when the device had none left.
#pragma once

#include <cstddef>
#include <limits>
#include <utility>

#include "kernels/device.hpp"

namespace backplane::local {

class DeviceMemory {
 public:
  DeviceMemory() = default;
  // Room for rows * columns floats.
  DeviceMemory(kernels::Device& device, std::size_t rows, std::size_t columns) : device_(&device) {
    constexpr std::size_t kFloatsMax = std::numeric_limits<std::size_t>::max() / sizeof(float);
    if (columns != 0 && rows > kFloatsMax / columns) return;
    memory_ = device.allocate(rows * columns * sizeof(float));
  }
  DeviceMemory(DeviceMemory&& other) noexcept { *this = std::move(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    std::swap(device_, other.device_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~DeviceMemory() {
    if (memory_ != nullptr) device_->release(memory_);
  }

  explicit operator bool() const { return memory_ != nullptr; }
  float* floats() const { return static_cast<float*>(memory_); }

 private:
  kernels::Device* device_ = nullptr;
  void* memory_ = nullptr;
};

}  // namespace backplane::local
