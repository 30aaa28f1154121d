// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/include.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "runtime/config/document.hpp"
#include "runtime/config/suggestion.hpp"
#include "runtime/config/text_file.hpp"

namespace backplane::config {
namespace {

constexpr std::string_view kWildcards = "*?[";

std::string escape_wildcards(const std::string& path) {
  std::string escaped;
  for (const char c : path) {
    if (c == '\\' || kWildcards.find(c) != std::string_view::npos) {
      escaped += '\\';
    }
    escaped += c;
  }
  return escaped;
}

// Matching files in alphabetical order.
std::vector<std::string> expand(const std::string& file, const std::string& pattern) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const bool is_absolute = !pattern.empty() && pattern.front() == '/';
  const std::string full =
      is_absolute || folder.empty() ? pattern : escape_wildcards(folder) + "/" + pattern;
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(full.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      files.push_back(std::filesystem::path(found.gl_pathv[i]).lexically_normal().string());
    }
  }
  ::globfree(&found);
  return files;
}

std::string identity(const std::string& file) {
  std::error_code failure;
  const auto path = std::filesystem::weakly_canonical(file, failure);
  return failure ? file : path.string();
}

class Reader {
 public:
  explicit Reader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  std::optional<Node> read(const std::string& file, const Position& from) {
    if (!enter(file, from)) {
      return std::nullopt;
    }
    open_.push_back(identity(file));
    std::optional<Node> root = read_document(file, diagnostics_);
    if (root && !root->is_mapping()) {
      diagnostics_.error(root->position, "", "expected a mapping such as \"backends: {...}\"");
      root.reset();
    }
    if (root) {
      follow(file, *root);
    }
    open_.pop_back();
    return root;
  }

 private:
  bool enter(const std::string& file, const Position& from) {
    const std::string id = identity(file);
    if (std::find(open_.begin(), open_.end(), id) != open_.end()) {
      diagnostics_.error(from, "include", quote(file) + " includes itself; leave it out");
      return false;
    }
    if (open_.size() >= kIncludeDepthMax) {
      diagnostics_.error(
          from, "include",
          "files include files more than " + std::to_string(kIncludeDepthMax) + " levels deep");
      return false;
    }
    const auto [first, is_new] = seen_.emplace(id, from);
    if (!is_new) {
      diagnostics_.error(from, "include",
                         quote(file) + " is included twice; first at " + format(first->second));
      return false;
    }
    if (seen_.size() > kIncludedFilesMax) {
      diagnostics_.error(
          from, "include",
          "more than " + std::to_string(kIncludedFilesMax) + " files in one deployment");
      return false;
    }
    return true;
  }

  void follow(const std::string& file, Node& root) {
    const auto is_include = [](const Entry& entry) { return entry.key == "include"; };
    const auto entry = std::find_if(root.entries.begin(), root.entries.end(), is_include);
    if (entry == root.entries.end()) {
      return;
    }
    const Node globs = std::move(entry->value);
    root.entries.erase(entry);
    if (!globs.is_sequence()) {
      diagnostics_.error(globs.position, "include",
                         "expected a list of files, such as [\"*.yaml\"]");
      return;
    }
    for (std::size_t i = 0; i < globs.items.size() && !diagnostics_.full(); ++i) {
      include(file, globs.items[i], path_of_item("include", i), root);
    }
  }

  void include(const std::string& file, const Node& glob, const std::string& path, Node& root) {
    if (glob.kind != NodeKind::kString || glob.text.empty()) {
      diagnostics_.error(glob.position, path, "expected a file or a pattern such as \"*.yaml\"");
      return;
    }
    const std::vector<std::string> files = expand(file, glob.text);
    if (files.empty() && glob.text.find_first_of(kWildcards) == std::string::npos) {
      diagnostics_.error(glob.position, path,
                         "no such file: " + quote(resolve_beside(file, glob.text)));
    } else if (files.empty()) {
      diagnostics_.warning(glob.position, path, quote(glob.text) + " matches no file");
    }
    for (const std::string& included : files) {
      if (std::optional<Node> tree = read(included, glob.position)) {
        merge(root, std::move(*tree));
      }
      if (diagnostics_.full() || seen_.size() > kIncludedFilesMax) {
        return;
      }
    }
  }

  void merge(Node& into, Node from) {
    for (Entry& entry : from.entries) {
      Node* section = into.find(entry.key);
      if (!section) {
        into.entries.push_back(std::move(entry));
      } else if (section->is_mapping() && entry.value.is_mapping()) {
        merge_section(entry.key, *section, std::move(entry.value));
      } else {
        report_twice("", entry, into);
      }
    }
  }

  void merge_section(const std::string& name, Node& into, Node from) {
    for (Entry& entry : from.entries) {
      if (into.find(entry.key)) {
        report_twice(name, entry, into);
      } else {
        into.entries.push_back(std::move(entry));
      }
    }
  }

  void report_twice(const std::string& path, const Entry& second, const Node& in) {
    const auto first = std::find_if(in.entries.begin(), in.entries.end(),
                                    [&](const Entry& entry) { return entry.key == second.key; });
    diagnostics_.error(second.position, path_of_key(path, second.key),
                       "defined twice; first defined at " + format(first->position));
  }

  Diagnostics& diagnostics_;
  std::vector<std::string> open_;         // from the first file to the one being read
  std::map<std::string, Position> seen_;  // file -> the place that named it
};

}  // namespace

std::optional<Node> read_with_includes(const std::string& file, Diagnostics& diagnostics) {
  std::optional<Node> root = Reader(diagnostics).read(file, {file, 0, 0});
  return diagnostics.failed() ? std::nullopt : std::move(root);
}

}  // namespace backplane::config
