// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/safetensors_reader.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cstring>

#include "plugins/backends/local/files/json_file.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kElementsMax = std::uint64_t{1} << 48;

struct ElementType {
  std::string_view name;
  std::uint64_t bytes;
  std::uint32_t ggml_type;
};

constexpr std::array<ElementType, 14> kElementTypes = {{
    {"F32", 4, 0},
    {"F16", 2, 1},
    {"BF16", 2, 30},
    {"F64", 8, 28},
    {"I8", 1, 24},
    {"I16", 2, 25},
    {"I32", 4, 26},
    {"I64", 8, 27},
    {"U8", 1, kNoGgmlType},
    {"U16", 2, kNoGgmlType},
    {"U32", 4, kNoGgmlType},
    {"U64", 8, kNoGgmlType},
    {"BOOL", 1, kNoGgmlType},
    {"F8_E4M3", 1, kNoGgmlType},
}};

class SafetensorsReader {
 public:
  SafetensorsReader(const std::string& path, std::span<const std::byte> bytes, ModelFile& keeper)
      : path_(path), bytes_(bytes), keeper_(keeper) {}

  Result<std::vector<FileTensor>> read() {
    if (auto status = read_header(); !status) return status.error();
    for (const auto& [name, value] : header_.as_object()) {
      if (name == "__metadata__") continue;
      place_ = "tensor " + printable(name);
      FileTensor tensor;
      tensor.name = keeper_.keep(name);
      if (auto status = read_tensor(value, tensor); !status) return status.error();
      tensors_.push_back(std::move(tensor));
    }
    const FileTensor* overlapping = find_overlap(tensors_);
    if (overlapping == nullptr) return std::move(tensors_);
    place_ = "tensor " + printable(overlapping->name);
    return error("its data is also another tensor's; the file is damaged");
  }

 private:
  Error error(const std::string& what) const {
    return invalid_argument(path_ + ": " + place_ + ": " + what);
  }
  Error truncated() const {
    return error("its data lies beyond the end of the file (" + std::to_string(bytes_.size()) +
                 " bytes); it is truncated or damaged, fetch it again");
  }

  Status read_header() {
    place_ = "header";
    std::uint64_t length = 0;
    if (bytes_.size() < kLengthBytes) return truncated();
    std::memcpy(&length, bytes_.data(), sizeof(length));
    if (length > kSafetensorsHeaderBytesMax) {
      return error("has " + std::to_string(length) + " bytes; at most " +
                   std::to_string(kSafetensorsHeaderBytesMax) +
                   " are read, the file is damaged or no safetensors file");
    }
    if (length > bytes_.size() - kLengthBytes) return truncated();
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + kLengthBytes,
                                static_cast<std::size_t>(length));
    boost::system::error_code failure;
    header_ = json::parse(text, failure);
    if (failure || !header_.is_object()) return error("is not a JSON object; the file is damaged");
    if (header_.as_object().size() > kFileTensorsMax) {
      return error("names more than " + std::to_string(kFileTensorsMax) + " tensors");
    }
    data_ = bytes_.subspan(kLengthBytes + text.size());
    return ok();
  }

  Status read_tensor(const json::value& value, FileTensor& tensor) {
    const json::object* fields = value.if_object();
    const json::value* type = fields == nullptr ? nullptr : fields->if_contains("dtype");
    const json::value* shape = fields == nullptr ? nullptr : fields->if_contains("shape");
    const json::value* offsets = fields == nullptr ? nullptr : fields->if_contains("data_offsets");
    if (type == nullptr || !type->is_string() || shape == nullptr || !shape->is_array() ||
        offsets == nullptr || !offsets->is_array()) {
      return error("has no dtype, shape and data_offsets; the file is damaged");
    }
    const std::string_view type_name = type->get_string();
    const auto* const element =
        std::find_if(kElementTypes.begin(), kElementTypes.end(),
                     [&](const ElementType& known) { return known.name == type_name; });
    if (element == kElementTypes.end()) {
      return error("has dtype " + printable(type_name) +
                   ", which is not supported; use a model in BF16, F16 or F32");
    }
    tensor.type = element->ggml_type;
    const auto elements = read_shape(shape->get_array(), tensor);
    if (!elements) return elements.error();
    return place(offsets->get_array(), *elements * element->bytes, tensor);
  }

  Result<std::uint64_t> read_shape(const json::array& shape, FileTensor& tensor) {
    if (shape.size() > kGgufDimensionsMax) {
      return error("has " + std::to_string(shape.size()) + " dimensions; at most " +
                   std::to_string(kGgufDimensionsMax) + " are read");
    }
    std::uint64_t elements = 1;
    for (const json::value& part : shape) {
      const auto dimension = whole_number(part);
      if (!dimension || *dimension == 0 || *dimension > kElementsMax / elements) {
        return error("has an impossible shape; the file is damaged");
      }
      elements *= *dimension;
      tensor.dimensions.insert(tensor.dimensions.begin(), *dimension);
    }
    if (tensor.dimensions.empty()) tensor.dimensions.push_back(1);
    return elements;
  }

  Status place(const json::array& offsets, std::uint64_t size, FileTensor& tensor) {
    if (offsets.size() != 2) return error("has no two data_offsets; the file is damaged");
    const auto begin = whole_number(offsets[0]);
    const auto end = whole_number(offsets[1]);
    if (!begin || !end || *end < *begin) {
      return error("has impossible data_offsets; the file is damaged");
    }
    if (*end > data_.size()) return truncated();
    if (*end - *begin != size) {
      return error("has " + std::to_string(*end - *begin) + " bytes, its shape needs " +
                   std::to_string(size) + "; the file is damaged");
    }
    tensor.data = data_.subspan(static_cast<std::size_t>(*begin), static_cast<std::size_t>(size));
    return ok();
  }

  const std::string& path_;
  const std::span<const std::byte> bytes_;
  ModelFile& keeper_;
  std::string place_;
  json::value header_;
  std::span<const std::byte> data_;
  std::vector<FileTensor> tensors_;
};

}  // namespace

Result<std::vector<FileTensor>> read_safetensors(const std::string& path,
                                                 std::span<const std::byte> bytes,
                                                 ModelFile& keeper) {
  return SafetensorsReader(path, bytes, keeper).read();
}

}  // namespace backplane::local
