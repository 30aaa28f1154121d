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

std::string masked_url(std::string text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const std::size_t begin = scheme + 3;
  if (const std::size_t at = text.rfind('@'); at != std::string::npos && at > begin) {
    text.replace(begin, at - begin, kMask);
  }
  if (const std::size_t query = text.find('?', begin); query != std::string::npos) {
    text.replace(query + 1, std::string::npos, kMask);
  }
  return text;
}

}  // namespace backplane::config
