// SPDX-License-Identifier: Apache-2.0
// The answers of the hub's API (https://huggingface.co/docs/hub/api): the files of a repository, in
// pages. What a server names is not trusted: a name that would lead out of the folder, a size or a
// digest that cannot be, is an error.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::local {

inline constexpr std::size_t kListingBytesMax = std::size_t{16} << 20U;  // of one page
inline constexpr std::size_t kListingPagesMax = 200;
inline constexpr std::size_t kListedFilesMax = 100'000;
inline constexpr std::uint64_t kRemoteFileBytesMax = std::uint64_t{1} << 44U;

struct RemoteFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string sha256;    // of files in LFS; empty for others
  std::string git_blob;  // the name of the content in git, for others
};

// Appends a page's files.
Status read_listing_page(std::string_view text, std::vector<RemoteFile>& files);

// The address of rel="next" in a Link header (RFC 8288); empty when there is none.
std::string next_page(std::string_view link);

}  // namespace backplane::local
