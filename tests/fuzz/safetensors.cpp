// SPDX-License-Identifier: Apache-2.0
// A folder as Hugging Face has it, of whatever bytes: config.json up to the first zero byte, then
// model.safetensors. It is refused, or what it says lies within it.
#include <filesystem>

#include "plugins/backends/local/files/model_file.hpp"
#include "plugins/backends/local/model/model.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace backplane::fuzz {
namespace {

using namespace backplane::local;

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "backplane_fuzz_XXXXXX") {
    expect(::mkdtemp(path_.data()) != nullptr, "no temporary folder");
    std::filesystem::create_symlink(config_.path(), path_ + "/config.json");
    std::filesystem::create_symlink(weights_.path(), path_ + "/model.safetensors");
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  void fill(std::string_view bytes) const {
    const std::size_t end = std::min(bytes.find('\0'), bytes.size());
    config_.fill(bytes.substr(0, end));
    weights_.fill(bytes.substr(std::min(end + 1, bytes.size())));
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  MemoryFile config_;
  MemoryFile weights_;
};

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  static const Folder folder;
  folder.fill(text_of(data, size));
  const auto file = ModelFile::open(folder.path());
  if (!file) {
    expect(file.error().message.starts_with(folder.path()), "an error that names no file");
    return 0;
  }
  for (const FileTensor& tensor : file->tensors()) {
    expect(file->tensor(tensor.name) == &tensor, "a tensor is not found by its name");
    expect(find_ggml_type(tensor.type) != nullptr, "a tensor of a type that GGUF does not have");
  }
  static const auto device = backplane::kernels::make_cpu_device(1);
  static_cast<void>(Model::load(*file, *device, 2, 1));
  return 0;
}
