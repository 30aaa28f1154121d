// SPDX-License-Identifier: Apache-2.0
// A GGUF file of whatever bytes: it is refused, or what it says lies within it, and it may be
// loaded as a model.
#include "plugins/backends/local/files/model_file.hpp"

#include "plugins/backends/local/model/model.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace backplane::fuzz {
namespace {

using namespace backplane::local;

void check_tensors(const ModelFile& file) {
  unsigned sum = 0;
  for (const FileTensor& tensor : file.tensors()) {
    expect(file.tensor(tensor.name) == &tensor, "a tensor is not found by its name");
    if (tensor.data.empty()) continue;
    sum += std::to_integer<unsigned>(tensor.data.front());
    sum += std::to_integer<unsigned>(tensor.data.back());
  }
  expect(sum <= 510 * file.tensors().size(), "bytes are larger than bytes");
}

// Two steps of a model that is small enough for that.
void run(const ModelFile& file) {
  static const auto device = kernels::make_cpu_device(1);
  const auto parameters = read_hyper_parameters(file);
  if (!parameters || parameters->kv_size() * parameters->layers > 4096) return;
  const auto model = Model::load(file, *device, 2, 1);
  if (!model) return;
  const auto pages = (*model)->new_pages(1);
  if (!pages) return;
  const PageId page = 0;
  const auto last = static_cast<std::int32_t>((*model)->vocabulary() - 1);
  (*model)->forward(std::vector<BatchEntry>{{&page, 0, 0, false}, {&page, 1, last, true}}, **pages);
}

}  // namespace
}  // namespace backplane::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::fuzz;
  static const MemoryFile memory;
  memory.fill(text_of(data, size));
  const auto file = ModelFile::open(memory.path());
  if (!file) {
    expect(file.error().message.starts_with(memory.path()), "an error that names no file");
    return 0;
  }
  check_tensors(*file);
  run(*file);
  return 0;
}
