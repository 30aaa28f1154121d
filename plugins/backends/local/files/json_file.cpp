// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/json_file.hpp"

#include <boost/json/parse.hpp>

#include "plugins/backends/local/files/mapped_file.hpp"

namespace backplane::local {

namespace json = boost::json;

Result<json::object> read_json_file(const std::string& path, std::uint64_t bytes_max) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto bytes = file->bytes();
  if (bytes.size() > bytes_max) {
    return invalid_argument(path + ": has " + std::to_string(bytes.size()) + " bytes, at most " +
                            std::to_string(bytes_max) + " are read");
  }
  boost::system::error_code failure;
  json::value value =
      json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, failure);
  if (failure || !value.is_object()) {
    return invalid_argument(path + ": is not a JSON object; fetch it again");
  }
  return std::move(value.get_object());
}

const json::value* find_field(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string_view text_field(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string_view(found->get_string())
                                                : std::string_view();
}

std::optional<std::uint64_t> whole_number(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) {
    return static_cast<std::uint64_t>(value.get_int64());
  }
  return std::nullopt;
}

}  // namespace backplane::local
