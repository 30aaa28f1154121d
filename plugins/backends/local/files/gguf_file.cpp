// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/gguf_file.hpp"

#include <array>
#include <cstdio>

#include "plugins/backends/local/files/gguf_reader.hpp"

namespace backplane::local {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"split.no", "split.count",
                                                   "split.tensors.count"};

Result<ModelFile> open_part(const std::string& path) {
  auto mapping = MappedFile::open(path);
  if (!mapping) return mapping.error();
  ModelFile file(path);
  GgufReader reader(file.keep(std::move(*mapping)), file);
  if (auto status = reader.read(); !status) return status.error();
  return file;
}

std::string part_suffix(std::uint64_t index, std::uint64_t count) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "-%05llu-of-%05llu.gguf",
                static_cast<unsigned long long>(index + 1), static_cast<unsigned long long>(count));
  return text.data();
}

// Reads parts 1 and up and adds them to the first.
class Parts {
 public:
  Parts(ModelFile& first, std::uint64_t count) : file_(first), count_(count) {}

  Status read() {
    if (auto status = check_place(file_, 0); !status) return status;
    const std::string suffix = part_suffix(0, count_);
    if (!file_.path().ends_with(suffix)) {
      return file_.wrong("split.count", "is " + std::to_string(count_) +
                                            "; the first part's name must end in \"" + suffix +
                                            "\", so that the others are found");
    }
    const std::string stem = file_.path().substr(0, file_.path().size() - suffix.size());
    for (std::uint64_t i = 1; i < count_; ++i) {
      if (auto status = add(stem + part_suffix(i, count_), i); !status) return status;
    }
    return check_tensor_count();
  }

 private:
  Status add(const std::string& path, std::uint64_t index) {
    auto part = open_part(path);
    if (!part && part.error().code == Code::kNotFound) {
      Error error = part.error();
      error.message = path + ": part " + std::to_string(index + 1) + " of " +
                      std::to_string(count_) + " is missing; fetch it, too";
      return error;
    }
    if (!part) return part.error();
    if (auto status = check_place(*part, index); !status) return status;
    return file_.merge(std::move(*part));
  }

  Status check_place(const ModelFile& part, std::uint64_t index) const {
    const auto number = part.unsigned_number("split.no");
    if (!number) return number.error();
    const auto count = part.unsigned_number("split.count");
    if (!count) return count.error();
    if (*number == index && *count == count_) return ok();
    if (index == 0) {
      return part.wrong("split.no", "this is not the first part of the model; name the file \"..." +
                                        part_suffix(0, count_) + "\"");
    }
    return part.wrong("split.no", "is not part " + std::to_string(index + 1) + " of " +
                                      std::to_string(count_) + " as its name says; fetch it again");
  }

  Status check_tensor_count() const {
    const auto declared = file_.unsigned_number("split.tensors.count");
    if (!declared) return declared.error();
    const std::uint64_t found = file_.tensors().size();
    if (declared->value_or(found) == found) return ok();
    return file_.wrong("split.tensors.count", "is " + std::to_string(**declared) +
                                                  ", the parts hold " + std::to_string(found) +
                                                  " tensors; fetch them again");
  }

  ModelFile& file_;
  std::uint64_t count_;
};

}  // namespace

Result<ModelFile> open_gguf(const std::string& path) {
  auto file = open_part(path);
  if (!file) return file.error();
  const auto count = file->unsigned_number("split.count");
  if (!count) return count.error();
  if (count->value_or(1) > kGgufPartsMax) {
    return file->wrong("split.count", "is " + std::to_string(**count) + ", at most " +
                                          std::to_string(kGgufPartsMax) +
                                          " parts are read; the file is damaged");
  }
  if (count->value_or(1) > 1) {
    if (auto status = Parts(*file, **count).read(); !status) return status.error();
  }
  for (const std::string_view key : kKeys) file->erase(key);
  return file;
}

}  // namespace backplane::local
