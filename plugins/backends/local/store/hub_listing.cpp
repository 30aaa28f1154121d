// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/hub_listing.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "plugins/backends/local/files/json_file.hpp"
#include "plugins/backends/local/store/model_source.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::size_t kSha256Digits = 64;
constexpr std::size_t kSha1Digits = 40;

Error wrong(const std::string& what) {
  return {Code::kDataLoss, "the hub's list of files: " + what, {}, 0, 0};
}

bool is_digest(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<std::uint64_t> size_of(const json::object& object) {
  const json::value* size = object.if_contains("size");
  if (size == nullptr || !size->is_int64() || size->as_int64() < 0 ||
      static_cast<std::uint64_t>(size->as_int64()) > kRemoteFileBytesMax) {
    return wrong("a file without a possible size");
  }
  return static_cast<std::uint64_t>(size->as_int64());
}

Result<RemoteFile> read_file_entry(const json::object& object) {
  RemoteFile file;
  file.path = text_field(object, "path");
  if (auto status = check_remote_path(file.path); !status) return wrong(status.error().message);
  const json::value* lfs = object.if_contains("lfs");
  const bool is_large = lfs != nullptr && lfs->is_object();
  const auto size = size_of(is_large ? lfs->as_object() : object);
  if (!size) return size.error();
  file.bytes = *size;
  if (is_large) {
    file.sha256 = text_field(lfs->as_object(), "oid");
    if (file.sha256.starts_with("sha256:")) file.sha256.erase(0, 7);
    if (!is_digest(file.sha256, kSha256Digits)) return wrong(file.path + " has no sha256");
    return file;
  }
  file.git_blob = text_field(object, "oid");
  if (!is_digest(file.git_blob, kSha1Digits)) file.git_blob.clear();
  return file;
}

}  // namespace

Status read_listing_page(std::string_view text, std::vector<RemoteFile>& files) {
  boost::system::error_code failure;
  const json::value document = json::parse(text, failure);
  if (failure || !document.is_array()) return wrong("expected a JSON array; is this a hub?");
  for (const json::value& entry : document.as_array()) {
    if (!entry.is_object()) return wrong("an entry that is no object");
    if (text_field(entry.as_object(), "type") != "file") continue;
    if (files.size() == kListedFilesMax) return wrong("too many files");
    auto file = read_file_entry(entry.as_object());
    if (!file) return file.error();
    files.push_back(std::move(*file));
  }
  return ok();
}

std::string next_page(std::string_view link) {
  while (!link.empty()) {
    const std::size_t open = link.find('<');
    const std::size_t close = link.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return "";
    const std::size_t end = std::min(link.find(",", close), link.size());
    const std::string_view parameters = link.substr(close, end - close);
    if (parameters.find("rel=\"next\"") != std::string_view::npos ||
        parameters.find("rel=next") != std::string_view::npos) {
      return std::string(link.substr(open + 1, close - open - 1));
    }
    link.remove_prefix(end);
  }
  return "";
}

}  // namespace backplane::local
