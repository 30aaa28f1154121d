// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/part_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "plugins/backends/local/store/model_source.hpp"

namespace backplane::local {
namespace {

constexpr std::size_t kPiecesFileBytesMax = std::size_t{256} << 20U;

Error system_error(const std::string& path) {
  const bool is_full = errno == ENOSPC || errno == EDQUOT;
  return {is_full ? Code::kResourceExhausted : Code::kInternal,
          path + ": " + std::strerror(errno) + (is_full ? "; free some and run it again" : ""),
          {},
          0,
          0};
}

}  // namespace

Result<std::unique_ptr<PartFile>> PartFile::open(const Folder& folder, const RemoteFile& file) {
  if (auto status = check_remote_path(file.path); !status) return status.error();
  std::unique_ptr<PartFile> part(new PartFile(folder, file));
  const std::size_t slash = file.path.rfind('/');
  const auto parent = folder.enter(slash == std::string::npos ? "" : file.path.substr(0, slash),
                                   Folder::Missing::kCreate);
  if (!parent) return parent.error();
  auto data = folder.open_file(part->part_name(), O_RDWR | O_CREAT);
  if (!data) return data.error();
  part->part_ = std::move(*data);
  auto pieces = folder.open_file(part->pieces_name(), O_RDWR | O_CREAT | O_APPEND);
  if (!pieces) return pieces.error();
  part->pieces_ = std::move(*pieces);
  if (auto status = part->read_pieces(); !status) return status.error();
  return part;
}

std::string PartFile::identity() const {
  return "backplane 1 " + std::to_string(file_.bytes) + " " + std::to_string(kPieceBytes) + " " +
         (file_.sha256.empty() ? "git:" + file_.git_blob : file_.sha256);
}

Status PartFile::read_pieces() {
  done_.assign(piece_count(file_.bytes), false);
  const auto text = folder_.read_file(pieces_name(), kPiecesFileBytesMax);
  if (!text) return text.error();
  std::istringstream lines(*text);
  std::string line;
  const off_t size = lseek(part_.get(), 0, SEEK_END);
  if (!std::getline(lines, line) || line != identity() || size != static_cast<off_t>(file_.bytes)) {
    return begin_anew();
  }
  std::size_t piece = 0;
  // A last line that was cut short could name another piece: only whole lines count.
  while (std::getline(lines, line) && !lines.eof()) {
    std::istringstream number(line);
    if (number >> piece && piece < done_.size()) done_[piece] = true;
  }
  return ok();
}

Status PartFile::begin_anew() {
  done_.assign(piece_count(file_.bytes), false);
  const std::string line = identity() + "\n";
  if (ftruncate(pieces_.get(), 0) != 0 || ftruncate(part_.get(), 0) != 0 ||
      ftruncate(part_.get(), static_cast<off_t>(file_.bytes)) != 0 ||
      ::write(pieces_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return system_error(part_name());
  }
  return ok();
}

std::uint64_t PartFile::missing_bytes() const {
  std::uint64_t sum = 0;
  for (std::size_t piece = 0; piece < done_.size(); ++piece) {
    if (!done_[piece]) sum += piece_range(file_.bytes, piece).bytes();
  }
  return sum;
}

Status PartFile::write(std::uint64_t offset, std::span<const char> bytes) {
  assert(offset + bytes.size() <= file_.bytes);
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(part_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(part_name());
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return ok();
}

Status PartFile::mark_done(std::size_t piece) {
  done_[piece] = true;
  const std::string line = std::to_string(piece) + "\n";
  if (::write(pieces_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return system_error(pieces_name());
  }
  return ok();
}

Status PartFile::check(const FileDigests& digests) const {
  const bool is_right = file_.sha256.empty() ? file_.git_blob.empty() || digests.git_blob.empty() ||
                                                   file_.git_blob == digests.git_blob
                                             : file_.sha256 == digests.sha256;
  if (is_right) return ok();
  return Error{
      Code::kDataLoss,
      file_.path + ": the bytes that came are not those that the hub promised (" +
          (file_.sha256.empty() ? "git blob " + file_.git_blob + ", got " + digests.git_blob
                                : "sha256 " + file_.sha256 + ", got " + digests.sha256) +
          "); they were removed, run it again, or try another --url",
      {},
      0,
      0};
}

Result<FileDigests> PartFile::finish() {
  assert(missing_bytes() == 0);
  if (fsync(part_.get()) != 0) return system_error(part_name());
  auto digests = digest_file(part_.get(), file_.bytes);
  if (!digests) return digests.error();
  if (auto status = check(*digests); !status) {
    folder_.remove(pieces_name());
    folder_.remove(part_name());
    return status.error();
  }
  if (auto status = folder_.rename(part_name(), file_.path); !status) return status.error();
  folder_.remove(pieces_name());
  return digests;
}

}  // namespace backplane::local
