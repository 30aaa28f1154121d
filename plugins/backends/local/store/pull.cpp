// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/pull.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "plugins/backends/local/store/file_choice.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Result<std::string> hub_url(const std::string& given) {
  std::string url = given.empty() ? from_environment("HF_ENDPOINT") : given;
  if (url.empty()) url = kDefaultHub;
  while (url.ends_with('/')) url.pop_back();
  if (origin_of(url).empty()) return invalid_argument("'" + url + "' is no http(s) URL of a hub");
  return url;
}

class Pull {
 public:
  Pull(const PullOptions& options, Progress& progress) : options_(options), progress_(progress) {}
  Result<StoredModel> run();

 private:
  Status open_folder();
  Status connect();
  Status read_known();
  bool is_there(const RemoteFile& file) const;
  Status check_space(const std::vector<RemoteFile>& files) const;
  Status fetch(const RemoteFile& file);

  const PullOptions& options_;
  Progress& progress_;
  std::optional<Folder> folder_;
  Descriptor lock_;
  Manifest manifest_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Hub> hub_;
};

Status Pull::open_folder() {
  const auto root = Folder::open(options_.store, Folder::Missing::kCreate);
  if (!root) return root.error();
  auto folder = root->enter(options_.source.folder(), Folder::Missing::kCreate);
  if (!folder) return folder.error();
  folder_.emplace(std::move(*folder));
  auto lock = folder_->open_file(kLockName, O_RDWR | O_CREAT);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{
        Code::kAborted,
        "another pull of hf:" + options_.source.repository_name() + " is running; wait for its end",
        {},
        0,
        0};
  }
  return ok();
}

Status Pull::connect() {
  const auto url = hub_url(options_.hub);
  if (!url) return url.error();
  const std::string token = find_hub_token();
  auto client = HttpClient::create({origin_of(*url), token, options_.idle_timeout_s});
  if (!client) return client.error();
  client_ = std::move(*client);
  hub_ = std::make_unique<Hub>(*client_, *url, !token.empty(), options_.download.retries,
                               options_.download.should_stop);
  return ok();
}

Status Pull::read_known() {
  auto manifest = read_manifest(*folder_);
  if (!manifest && manifest.error().code != Code::kNotFound) return manifest.error();
  if (manifest) manifest_ = std::move(*manifest);
  ModelSource repository = options_.source;
  repository.file.clear();
  manifest_.source = repository.text();
  return ok();
}

bool Pull::is_there(const RemoteFile& file) const {
  const StoredFile* known = manifest_.find(file.path);
  const auto bytes = folder_->file_bytes(file.path);
  if (known == nullptr || !bytes || *bytes != file.bytes) return false;
  if (!file.sha256.empty()) return known->sha256 == file.sha256;
  const auto open = folder_->open_file(file.path, O_RDONLY);
  const Result<FileDigests> digests =
      open ? digest_file(open->get(), file.bytes) : Result<FileDigests>(open.error());
  return digests && !file.git_blob.empty() && digests->git_blob == file.git_blob;
}

Status Pull::check_space(const std::vector<RemoteFile>& files) const {
  std::uint64_t needed = 0;
  for (const RemoteFile& file : files) {
    const auto part = PartFile::open(*folder_, file);
    if (!part) return part.error();
    needed += (*part)->missing_bytes();
  }
  const auto free = folder_->free_bytes();
  if (!free) return free.error();
  if (needed <= *free) return ok();
  return Error{Code::kResourceExhausted,
               "the model needs " + bytes_text(needed) + " more, but only " + bytes_text(*free) +
                   " are free at " + options_.store +
                   "; free some, or set BACKPLANE_MODELS to a folder elsewhere",
               {},
               0,
               0};
}

Status Pull::fetch(const RemoteFile& file) {
  auto part = PartFile::open(*folder_, file);
  if (!part) return part.error();
  progress_.begin(file.path, file.bytes - (*part)->missing_bytes(), file.bytes);
  Download download(*client_, *hub_, options_.source, **part, progress_, options_.download);
  if (auto status = download.run(); !status) return status;
  progress_.end();
  const auto digests = (*part)->finish();
  if (!digests) return digests.error();
  progress_.say(file.path + "  " + bytes_text(file.bytes) +
                (file.sha256.empty() ? "" : "  sha256 is right"));
  manifest_.put({file.path, file.bytes, digests->sha256, std::time(nullptr)});
  if (!download.commit().empty()) manifest_.commit = download.commit();
  return write_manifest(*folder_, manifest_);
}

Result<StoredModel> Pull::run() {
  if (auto status = connect(); !status) return status.error();
  const auto all = hub_->list(options_.source);
  if (!all) return all.error();
  auto files = choose_files(*all, options_.source.file);
  if (!files) return files.error();
  if (auto status = open_folder(); !status) return status.error();
  if (auto status = read_known(); !status) return status.error();
  const std::string first = files->front().path;
  std::erase_if(*files, [&](const RemoteFile& file) { return is_there(file); });
  if (files->empty()) progress_.say("everything is there already");
  if (auto status = check_space(*files); !status) return status.error();
  for (const RemoteFile& file : *files) {
    if (auto status = fetch(file); !status) return status.error();
  }
  ModelSource named = options_.source;
  if (first.ends_with(".gguf")) named.file = first;
  if (named.file.empty() || first.ends_with(".gguf")) {
    return ModelStore(options_.store).find(named);
  }
  return StoredModel{named.text(), folder_->path() + "/" + first, "file", {}, true};
}

}  // namespace

std::string find_hub_token() {
  std::string token = trimmed(from_environment("HF_TOKEN"));
  if (token.empty()) {
    std::string home = from_environment("HF_HOME");
    if (home.empty()) home = from_environment("HOME") + "/.cache/huggingface";
    const auto folder = Folder::open(home, Folder::Missing::kError);
    const Result<std::string> text =
        folder ? folder->read_file("token", kTokenBytesMax) : Result<std::string>(folder.error());
    if (text) token = trimmed(*text);
  }
  const bool is_plain =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  return is_plain ? token : "";
}

Result<StoredModel> pull_model(const PullOptions& options, Progress& progress) {
  return Pull(options, progress).run();
}

}  // namespace backplane::local
