// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/diagnostic.hpp"

#include <utility>

namespace backplane::config {

std::string format(const Position& position) {
  if (position.line == 0) {
    return position.file;
  }
  return position.file + ":" + std::to_string(position.line) + ":" +
         std::to_string(position.column);
}

std::string format(const Diagnostic& diagnostic) {
  std::string line = format(diagnostic.position) + ": ";
  if (!diagnostic.path.empty()) {
    line += diagnostic.path + ": ";
  }
  return line + diagnostic.message;
}

std::string format(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    text += format(diagnostic) + "\n";
  }
  return text;
}

namespace {

void add(std::vector<Diagnostic>& list, Diagnostic diagnostic) {
  if (list.size() < kDiagnosticsMax) {
    list.push_back(std::move(diagnostic));
  } else if (list.size() == kDiagnosticsMax) {
    list.push_back({diagnostic.position, "", "there is more; the list is cut here"});
  }
}

}  // namespace

void Diagnostics::error(const Position& position, std::string path, std::string message) {
  add(errors_, {position, std::move(path), std::move(message)});
}

void Diagnostics::warning(const Position& position, std::string path, std::string message) {
  add(warnings_, {position, std::move(path), std::move(message)});
}

}  // namespace backplane::config
