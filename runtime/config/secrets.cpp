// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/secrets.hpp"

#include <string.h>  // explicit_bzero

#include <utility>

namespace backplane::config {

void wipe(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

Secrets& Secrets::operator=(Secrets&& other) noexcept {
  if (this != &other) {
    wipe_all();
    values_ = std::move(other.values_);
    other.values_.clear();
  }
  return *this;
}

Secrets::~Secrets() {
  wipe_all();
}

void Secrets::put(std::string name, std::string_view value) {
  std::string& slot = values_[std::move(name)];
  wipe(slot);
  slot.reserve(value.size());
  slot.assign(value);
}

const std::string* Secrets::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found != values_.end() ? &found->second : nullptr;
}

std::vector<std::string> Secrets::names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) {
    names.push_back(name);
  }
  return names;
}

void Secrets::wipe_all() {
  for (auto& [name, value] : values_) {
    wipe(value);
  }
  values_.clear();
}

}  // namespace backplane::config
