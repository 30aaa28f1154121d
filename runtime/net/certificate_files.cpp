// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/certificate_files.hpp"

#include <sys/stat.h>

namespace backplane {

CertificateFiles::Stamp CertificateFiles::stamp_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  return {number(status.st_dev),          number(status.st_ino),
          number(status.st_size),         number(status.st_mtim.tv_sec),
          number(status.st_mtim.tv_nsec), number(status.st_ctim.tv_sec),
          number(status.st_ctim.tv_nsec)};
}

Result<TlsContext> CertificateFiles::read() {
  // Before reading: what is written meanwhile is seen the next time.
  certificate_stamp_ = stamp_of(certificate_);
  key_stamp_ = stamp_of(key_);
  return make_server_context(certificate_, key_);
}

bool CertificateFiles::have_changed() const {
  return stamp_of(certificate_) != certificate_stamp_ || stamp_of(key_) != key_stamp_;
}

}  // namespace backplane
