// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/manifest.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "plugins/backends/local/files/json_file.hpp"
#include "plugins/backends/local/store/model_source.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

std::int64_t number_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->as_int64() : 0;
}

bool read_file_entry(const json::value& entry, Manifest& manifest) {
  if (!entry.is_object()) return false;
  const json::object& object = entry.as_object();
  StoredFile file;
  file.path = text_field(object, "path");
  file.sha256 = text_field(object, "sha256");
  file.pulled_unix_s = number_of(object, "pulled_unix_s");
  const std::int64_t bytes = number_of(object, "bytes");
  if (bytes < 0 || !check_remote_path(file.path)) return false;
  file.bytes = static_cast<std::uint64_t>(bytes);
  manifest.files.push_back(std::move(file));
  return true;
}

}  // namespace

const StoredFile* Manifest::find(std::string_view path) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const StoredFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

void Manifest::put(StoredFile file) {
  std::erase_if(files, [&](const StoredFile& old) { return old.path == file.path; });
  files.push_back(std::move(file));
}

Result<Manifest> read_manifest(const Folder& folder) {
  const auto text = folder.read_file(kManifestName, kManifestBytesMax);
  if (!text) return text.error();
  const auto damaged = [&] {
    return Error{Code::kDataLoss,
                 folder.path() + "/" + kManifestName + " is damaged; remove it and pull again",
                 {},
                 0,
                 0};
  };
  boost::system::error_code failure;
  const json::value document = json::parse(*text, failure);
  if (failure || !document.is_object()) return damaged();
  const json::object& object = document.as_object();
  const json::value* files = object.if_contains("files");
  if (files == nullptr || !files->is_array()) return damaged();
  Manifest manifest;
  manifest.source = text_field(object, "source");
  manifest.commit = text_field(object, "commit");
  for (const json::value& entry : files->as_array()) {
    if (!read_file_entry(entry, manifest)) return damaged();
  }
  return manifest;
}

Status write_manifest(const Folder& folder, const Manifest& manifest) {
  json::array files;
  for (const StoredFile& file : manifest.files) {
    files.push_back(json::object{{"path", file.path},
                                 {"bytes", static_cast<std::int64_t>(file.bytes)},
                                 {"sha256", file.sha256},
                                 {"pulled_unix_s", file.pulled_unix_s}});
  }
  const json::object document{
      {"source", manifest.source}, {"commit", manifest.commit}, {"files", std::move(files)}};
  return folder.write_file(kManifestName, json::serialize(document) + "\n");
}

}  // namespace backplane::local
