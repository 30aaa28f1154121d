// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/config/case_file.hpp"

#include <fstream>

namespace backplane::config {
namespace {

std::string unescape(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0) {
      bytes += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else if (text.compare(i, 2, "\\t") == 0) {
      bytes += '\t';
      i += 1;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

void read_environment(const std::string& text, Case& target) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::size_t equals = text.find('=', at);
    target.environment[text.substr(at, equals - at)] = text.substr(equals + 1, end - equals - 1);
    at = end + 1;
  }
}

void add_section(const std::string& name, const std::string& text, Case& target) {
  const std::string first = name.substr(0, name.find(' '));
  if (first == "env") {
    read_environment(text, target);
  } else if (first == "no_env") {
    target.no_env = true;
  } else if (first == "bytes") {
    target.files.emplace_back(name.substr(6), unescape(text));
  } else if (first == "errors" || first == "warnings" || first == "deployment" ||
             first == "explain") {
    target.expected.emplace_back(name, text);
  } else {
    target.files.emplace_back(name, text);
  }
}

}  // namespace

std::vector<Case> read_cases(const std::string& path) {
  std::vector<Case> cases;
  std::ifstream in(path);
  std::string section;
  std::string text;
  const auto finish = [&] {
    if (!section.empty()) {
      add_section(section, text, cases.back());
    }
    section.clear();
    text.clear();
  };
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("=== ", 0) == 0) {
      finish();
      cases.emplace_back();
      cases.back().title = line.substr(4);
    } else if (line.rfind("--- ", 0) == 0) {
      finish();
      section = line.substr(4);
    } else {
      text += line + "\n";
    }
  }
  finish();
  return cases;
}

}  // namespace backplane::config
