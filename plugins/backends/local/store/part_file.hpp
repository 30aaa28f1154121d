// SPDX-License-Identifier: Apache-2.0
// A file that is being downloaded: FILE.part holds the bytes at their places, FILE.pieces says
// which file it is to be and which pieces are there. Whatever ends the process, what FILE.pieces
// names has been written before. One thread.
#pragma once

#include <memory>
#include <span>

#include "plugins/backends/local/store/digest.hpp"
#include "plugins/backends/local/store/folder.hpp"
#include "plugins/backends/local/store/hub_listing.hpp"
#include "plugins/backends/local/store/range_plan.hpp"

namespace backplane::local {

class PartFile {
 public:
  // Goes on with what an earlier try left for the same content, else begins anew. The folder of
  // `file` is made; `folder` outlives the object.
  static Result<std::unique_ptr<PartFile>> open(const Folder& folder, const RemoteFile& file);

  const RemoteFile& file() const { return file_; }
  const std::vector<bool>& done() const { return done_; }
  std::uint64_t missing_bytes() const;

  Status write(std::uint64_t offset, std::span<const char> bytes);
  Status mark_done(std::size_t piece);
  // Forgets every piece.
  Status begin_anew();
  // Compares with what the hub promised and gives the file its name. Wrong bytes are removed and
  // are kDataLoss.
  Result<FileDigests> finish();

 private:
  PartFile(const Folder& folder, RemoteFile file) : folder_(folder), file_(std::move(file)) {}
  Status read_pieces();
  std::string identity() const;
  std::string part_name() const { return file_.path + ".part"; }
  std::string pieces_name() const { return file_.path + ".pieces"; }
  Status check(const FileDigests& digests) const;

  const Folder& folder_;
  RemoteFile file_;
  std::vector<bool> done_;
  Descriptor part_;
  Descriptor pieces_;
};

}  // namespace backplane::local
