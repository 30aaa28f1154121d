// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/convert/gguf_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace backplane::local {
namespace {

constexpr std::uint64_t kAlignment = 32;  // what readers take where nothing is said
constexpr std::uint32_t kVersion = 3;

std::uint64_t aligned(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

template <class Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void put_text(std::string& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out.append(text);
}

template <class Number>
void put_typed(std::string& out, MetadataType type, Number number) {
  put(out, static_cast<std::uint32_t>(type));
  put(out, number);
}

void put_array(std::string& out, const MetadataArray& array) {
  put(out, static_cast<std::uint32_t>(MetadataType::kArray));
  put(out, static_cast<std::uint32_t>(array.type));
  put<std::uint64_t>(out, array.size());
  for (const std::string_view text : array.strings) put_text(out, text);
  out.append(reinterpret_cast<const char*>(array.raw.data()), array.raw.size());
}

struct PutValue {
  std::string& out;
  void operator()(std::uint64_t number) const {
    if (number > UINT32_MAX) return put_typed(out, MetadataType::kUint64, number);
    put_typed(out, MetadataType::kUint32, static_cast<std::uint32_t>(number));
  }
  void operator()(std::int64_t number) const {
    if (number < INT32_MIN || number > INT32_MAX) {
      return put_typed(out, MetadataType::kInt64, number);
    }
    put_typed(out, MetadataType::kInt32, static_cast<std::int32_t>(number));
  }
  void operator()(double number) const {
    put_typed(out, MetadataType::kFloat32, static_cast<float>(number));
  }
  void operator()(bool flag) const {
    put_typed(out, MetadataType::kBool, static_cast<std::uint8_t>(flag));
  }
  void operator()(std::string_view text) const {
    put(out, static_cast<std::uint32_t>(MetadataType::kString));
    put_text(out, text);
  }
  void operator()(const MetadataArray& array) const { put_array(out, array); }
};

}  // namespace

std::uint64_t OutputTensor::bytes() const {
  const GgmlType* layout = find_ggml_type(type);
  std::uint64_t weights = 1;
  for (const std::uint64_t dimension : dimensions) weights *= dimension;
  return weights / layout->block_weights * layout->block_bytes;
}

GgufOutput::~GgufOutput() {
  if (file_ < 0) return;
  close(file_);
  unlink(draft().c_str());
}

Error GgufOutput::failed(const std::string& what) const {
  return {errno == ENOSPC ? Code::kResourceExhausted : Code::kInternal,
          path_ + ": " + what + ": " + std::strerror(errno),
          {},
          0,
          0};
}

void GgufOutput::set(std::string_view key, const MetadataValue& value) {
  put_text(entries_, key);
  std::visit(PutValue{entries_}, value);
  ++entry_count_;
}

Status GgufOutput::check_space(std::uint64_t bytes) const {
  std::error_code failure;
  const auto folder = std::filesystem::absolute(path_, failure).parent_path();
  const auto space = std::filesystem::space(folder, failure);
  if (failure || space.available >= bytes) return ok();
  return Error{Code::kResourceExhausted,
               path_ + ": needs " + std::to_string(bytes) + " bytes, " +
                   std::to_string(space.available) + " are free; free some or write elsewhere",
               {},
               0,
               0};
}

Status GgufOutput::begin(std::span<const OutputTensor> tensors) {
  std::string head = "GGUF";
  put(head, kVersion);
  put<std::uint64_t>(head, tensors.size());
  put(head, entry_count_);
  head += entries_;
  std::uint64_t offset = 0;
  for (const OutputTensor& tensor : tensors) {
    put_text(head, tensor.name);
    put(head, static_cast<std::uint32_t>(tensor.dimensions.size()));
    for (const std::uint64_t dimension : tensor.dimensions) put(head, dimension);
    put(head, tensor.type);
    put(head, offset);
    offset += aligned(tensor.bytes());
  }
  head.resize(aligned(head.size()), '\0');
  if (auto status = check_space(head.size() + offset); !status) return status;
  file_ = open(draft().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ < 0) return failed("cannot be created");
  return write(head.data(), head.size());
}

Status GgufOutput::write(const char* data, std::size_t size) {
  written_ += size;
  while (size > 0) {
    const ssize_t count = ::write(file_, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("cannot be written");
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return ok();
}

Status GgufOutput::append(std::span<const std::byte> bytes) {
  return write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status GgufOutput::end_tensor() {
  const std::string padding(aligned(written_) - written_, '\0');
  return write(padding.data(), padding.size());
}

Status GgufOutput::commit() {
  if (fsync(file_) != 0) return failed("cannot be written");
  if (std::rename(draft().c_str(), path_.c_str()) != 0) return failed("cannot be named");
  close(file_);
  file_ = -1;
  return ok();
}

}  // namespace backplane::local
