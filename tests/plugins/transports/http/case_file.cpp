// SPDX-License-Identifier: Apache-2.0
#include "case_file.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <tuple>
#include <utility>

namespace backplane::test {
namespace {

constexpr std::string_view kRequestId = "00000000000000000000000000000000";
constexpr std::string_view kDateLine = "date: Sun, 06 Nov 1994 08:49:37 GMT";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// The inside of "{id}", "{date}" or "{3 abc}".
std::optional<std::string> expand(std::string_view inside) {
  if (inside == "id") return std::string(kRequestId);
  if (inside == "date") return std::string(kDateLine);
  const std::size_t space = inside.find(' ');
  const bool repeats = space != std::string_view::npos && space > 0 &&
                       std::all_of(inside.begin(), inside.begin() + static_cast<long>(space),
                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!repeats) return std::nullopt;
  std::string text;
  const int times = std::stoi(std::string(inside.substr(0, space)));
  const std::string piece = unescape(inside.substr(space + 1));
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

char escaped(char letter) {
  switch (letter) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    default:
      return letter;
  }
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  void take(const std::string& line) {
    if (starts_with(line, "=== ")) {
      cases_.emplace_back().file = file_;
      cases_.back().name = line.substr(4);
      section_.clear();
    } else if (starts_with(line, "--- ")) {
      open_section(line.substr(4));
    } else if (section_ == "request") {
      add_bytes(cases_.back().request, line);
    } else if (section_ == "response") {
      add_response(cases_.back().response, line);
    } else if (section_ == "settings") {
      cases_.back().settings += line;
    } else if (section_ == "events") {
      cases_.back().events.push_back(line);
    }
  }

  std::vector<Case> cases() { return std::move(cases_); }

 private:
  void open_section(const std::string& title) {
    std::istringstream words(title);
    words >> section_;
    Case& current = cases_.back();
    if (section_ == "closed") current.closed = true;
    if (section_ == "aborted") current.aborted = true;
    if (section_ == "refused") words >> current.refused_status >> current.refused_code;
  }

  static void add_bytes(std::string& to, const std::string& line) {
    const bool open = !line.empty() && line.back() == '\\';
    to += unescape(open ? line.substr(0, line.size() - 1) : line);
    if (!open) to += "\r\n";
  }

  void add_response(std::string& to, const std::string& line) {
    if (line == "<<") {
      in_chunk_ = true;
    } else if (line == ">>") {
      std::ostringstream size;
      size << std::hex << chunk_.size();
      to += size.str() + "\r\n" + std::exchange(chunk_, {}) + "\r\n";
      in_chunk_ = false;
    } else if (in_chunk_) {
      chunk_ += unescape(line) + '\n';
    } else {
      add_bytes(to, line);
    }
  }

  std::string file_;
  std::string section_;
  std::string chunk_;
  bool in_chunk_ = false;
  std::vector<Case> cases_;
};

}  // namespace

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t brace = text[i] == '{' ? text.find('}', i) : std::string_view::npos;
    std::optional<std::string> macro;
    if (brace != std::string_view::npos) macro = expand(text.substr(i + 1, brace - i - 1));
    if (macro) {
      out += *macro;
      i = brace;
    } else if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x') {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16));
      i += 3;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      out += escaped(text[++i]);
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<Case> read_cases() {
  std::vector<Case> all;
  for (const auto& entry : std::filesystem::directory_iterator(CASES_FOLDER)) {
    std::ifstream in(entry.path());
    Reader reader(entry.path().stem().string());
    for (std::string line; std::getline(in, line);) {
      if (!starts_with(line, "# ")) reader.take(line);
    }
    for (Case& found : reader.cases()) all.push_back(std::move(found));
  }
  std::sort(all.begin(), all.end(), [](const Case& a, const Case& b) {
    return std::tie(a.file, a.name) < std::tie(b.file, b.name);
  });
  return all;
}

}  // namespace backplane::test
