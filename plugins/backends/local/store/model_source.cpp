// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/model_source.hpp"

#include <algorithm>

namespace backplane::local {
namespace {

constexpr std::string_view kScheme = "hf:";
constexpr std::size_t kNameBytesMax = 96;
constexpr std::size_t kRevisionBytesMax = 128;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_name(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max && text[0] != '.' && text[0] != '-' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_name_character);
}

// Like refs/pr/1: names between slashes.
bool is_revision(std::string_view text) {
  if (text.size() > kRevisionBytesMax) return false;
  while (true) {
    const std::size_t slash = text.find('/');
    if (!is_name(text.substr(0, slash), kRevisionBytesMax)) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

Error wrong(std::string_view text) {
  return invalid_argument("'" + std::string(text) +
                          "' names no model; expected hf:ORG/REPO, hf:ORG/REPO:FILE or "
                          "hf:ORG/REPO@REVISION:FILE");
}

bool is_reserved(std::string_view segment) {
  return segment.starts_with(".backplane") || segment.ends_with(".part") ||
         segment.ends_with(".pieces");
}

}  // namespace

std::string ModelSource::folder() const {
  std::string folder = repository_name();
  if (revision == kDefaultRevision) return folder;
  folder += '@';
  for (const char c : revision) {
    if (c == '/') {
      folder += "%2F";
    } else {
      folder += c;
    }
  }
  return folder;
}

std::string ModelSource::text() const {
  std::string text = std::string(kScheme) + repository_name();
  if (revision != kDefaultRevision) text += "@" + revision;
  if (!file.empty()) text += ":" + file;
  return text;
}

bool is_model_source(std::string_view text) {
  return text.starts_with(kScheme);
}

Result<ModelSource> parse_model_source(std::string_view text) {
  if (!is_model_source(text)) return wrong(text);
  std::string_view rest = text.substr(kScheme.size());
  ModelSource source;
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    source.file = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (auto status = check_remote_path(source.file); !status) return status.error();
  }
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    source.revision = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_revision(source.revision)) return wrong(text);
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return wrong(text);
  source.organization = rest.substr(0, slash);
  source.repository = rest.substr(slash + 1);
  if (!is_name(source.organization, kNameBytesMax) || !is_name(source.repository, kNameBytesMax)) {
    return wrong(text);
  }
  return source;
}

Result<ModelSource> source_of_folder(std::string_view folder) {
  std::string text(kScheme);
  for (std::size_t i = 0; i < folder.size(); ++i) {
    const bool is_slash = folder.substr(i, 3) == "%2F";
    text += is_slash ? '/' : folder[i];
    i += is_slash ? 2 : 0;
  }
  return parse_model_source(text);
}

Status check_remote_path(std::string_view path) {
  const auto refuse = [&](const char* why) -> Status {
    std::string shown(path.substr(0, 80));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return invalid_argument("file name '" + shown + "' " + why);
  };
  if (path.empty()) return refuse("is empty");
  if (path.size() > kRemotePathBytesMax) return refuse("is too long");
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f' || c == '\\') {
      return refuse("holds a control character or a backslash");
    }
  }
  std::string_view rest = path;
  for (std::size_t depth = 0;; ++depth) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") {
      return refuse("leads out of its folder or holds an empty part");
    }
    if (is_reserved(segment)) return refuse("is a name that the store keeps for itself");
    if (depth == kRemotePathDepthMax) return refuse("lies in too many folders");
    if (slash == std::string_view::npos) return ok();
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace backplane::local
