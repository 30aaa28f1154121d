// SPDX-License-Identifier: Apache-2.0
// Digests of files, as the hub names them. Lower-case hexadecimal.
#pragma once

#include <backplane/result.hpp>
#include <cstdint>
#include <string>

namespace backplane::local {

struct FileDigests {
  std::string sha256;
  std::string git_blob;  // SHA-1 of "blob SIZE\0" and the bytes, the name of a file in git
};

// Reads the open file from its beginning.
Result<FileDigests> digest_file(int descriptor, std::uint64_t bytes);

}  // namespace backplane::local
