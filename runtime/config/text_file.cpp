// SPDX-License-Identifier: Apache-2.0
#include "runtime/config/text_file.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace backplane::config {
namespace {

constexpr std::size_t kChunkBytes = 16 * 1024;

// Bytes of the well-formed UTF-8 sequence at the front, 0 when there is none (RFC 3629).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const unsigned char second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

Result<std::string> read_stream(std::ifstream& in, std::size_t max_bytes) {
  std::string text;
  char chunk[kChunkBytes];
  while (text.size() <= max_bytes) {
    in.read(chunk, sizeof chunk);
    text.append(chunk, static_cast<std::size_t>(in.gcount()));
    if (in.bad()) {
      return Error{Code::kUnavailable, "cannot be read", {}, 0, 0};
    }
    if (in.eof()) {
      break;
    }
  }
  if (text.size() > max_bytes) {
    return Error{Code::kResourceExhausted,
                 "is larger than " + std::to_string(max_bytes) + " bytes; split it",
                 {},
                 0,
                 0};
  }
  return text;
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Error{Code::kNotFound, "no such file", {}, 0, 0};
  }
  if (failure) {
    return Error{Code::kPermissionDenied, "cannot be read: " + failure.message(), {}, 0, 0};
  }
  if (std::filesystem::is_directory(status)) {
    return invalid_argument("is a directory; name a file in it");
  }
  if (!std::filesystem::is_regular_file(status)) {
    return invalid_argument("is not a regular file");
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    const std::string reason = std::generic_category().message(errno);
    return Error{Code::kPermissionDenied, "cannot be read: " + reason, {}, 0, 0};
  }
  return read_stream(in, max_bytes);
}

std::size_t find_non_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text.substr(at));
    if (length == 0 || is_control(text[at])) {
      return at;
    }
    at += length;
  }
  return std::string_view::npos;
}

std::string resolve_beside(const std::string& file, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  return (folder / path).lexically_normal().string();
}

}  // namespace backplane::config
