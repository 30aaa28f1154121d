// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "plugins/backends/local/adapters/lora_builder.hpp"
#include "plugins/backends/local/files/gguf_file.hpp"

namespace backplane::local {
namespace {

Status expect_text(const ModelFile& file, std::string_view key, std::string_view wanted,
                   const char* remedy) {
  const auto found = file.text(key);
  if (!found) return found.error();
  if (found->has_value() && **found == wanted) return ok();
  return file.wrong(key, "is \"" + printable(found->value_or("")) + "\", expected \"" +
                             std::string(wanted) + "\"; " + remedy);
}

Status check_kind(const ModelFile& file, const ModelFile& base) {
  const char* const remedy = "use an adapter that was made for this model";
  if (auto s = expect_text(file, "general.type", "adapter", remedy); !s) return s;
  if (auto s = expect_text(file, "adapter.type", "lora", remedy); !s) return s;
  const auto architecture = base.text("general.architecture");
  if (!architecture) return architecture.error();
  if (auto s = expect_text(file, "general.architecture", architecture->value_or(""), remedy); !s) {
    return s;
  }
  constexpr std::string_view kInvocation = "adapter.alora.invocation_tokens";
  if (file.find(kInvocation) == nullptr) return ok();
  return file.wrong(kInvocation, "adapters that begin in the midst of a prompt are not supported");
}

Status add(const FileTensor& tensor, LoraBuilder& builder) {
  using Half = LoraBuilder::Half;
  for (const auto& [ending, half] : {std::pair(".lora_a", Half::kDown), {".lora_b", Half::kUp}}) {
    if (!tensor.name.ends_with(ending)) continue;
    std::string name(tensor.name);
    name.resize(name.size() - std::string_view(ending).size());
    return builder.add(name, half, tensor);
  }
  return builder.error("tensor " + printable(tensor.name),
                       "adapters change matrices only, as NAME.lora_a and NAME.lora_b");
}

}  // namespace

Result<std::shared_ptr<const LoraAdapter>> load_gguf_adapter(const std::string& path,
                                                             const ModelFile& base) {
  const auto file = open_gguf(path);
  if (!file) return file.error();
  if (auto status = check_kind(*file, base); !status) return status.error();
  constexpr std::string_view kAlpha = "adapter.lora.alpha";
  const auto alpha = file->real_number(kAlpha);
  if (!alpha) return alpha.error();
  if (!std::isfinite(alpha->value_or(0))) return file->wrong(kAlpha, "expected a number");
  LoraBuilder builder(path, base);
  for (const FileTensor& tensor : file->tensors()) {
    if (auto status = add(tensor, builder); !status) return status.error();
  }
  return builder.finish([&](std::size_t rank) {
    const double value = alpha->value_or(0);
    return value == 0 ? 1.0f : static_cast<float>(value / static_cast<double>(rank));
  });
}

}  // namespace backplane::local
