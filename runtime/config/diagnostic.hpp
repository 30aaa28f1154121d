// SPDX-License-Identifier: Apache-2.0
// What is wrong (or odd) in a deployment file, and where.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/config/node.hpp"

namespace backplane::config {

// After this many errors the rest is cut; the same holds for warnings.
inline constexpr std::size_t kDiagnosticsMax = 100;

// `message` is one sentence with the remedy; it never holds a secret.
struct Diagnostic {
  Position position;
  std::string path;  // models.fast.routes[1].backend; empty for the file as a whole
  std::string message;
};

// "node.yaml:9:3", or "node.yaml" for the file as a whole.
std::string format(const Position& position);
// "node.yaml:9:3: backends.groq: unknown key "modle"; did you mean "model"?"
std::string format(const Diagnostic& diagnostic);
// One per line.
std::string format(const std::vector<Diagnostic>& diagnostics);

// Collects errors and warnings, at most kDiagnosticsMax of each and one line that says so.
class Diagnostics {
 public:
  void error(const Position& position, std::string path, std::string message);
  void warning(const Position& position, std::string path, std::string message);

  bool failed() const { return !errors_.empty(); }
  bool full() const { return errors_.size() > kDiagnosticsMax; }
  const std::vector<Diagnostic>& errors() const { return errors_; }
  const std::vector<Diagnostic>& warnings() const { return warnings_; }

 private:
  std::vector<Diagnostic> errors_;
  std::vector<Diagnostic> warnings_;
};

}  // namespace backplane::config
