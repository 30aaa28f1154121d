// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/store/file_choice.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "plugins/backends/local/store/split_file.hpp"

namespace backplane::local {
namespace {

using Files = std::vector<RemoteFile>;
using Groups = std::map<std::string, Files>;  // by what all parts of a model have in common

constexpr std::size_t kListedInErrorsMax = 40;
constexpr std::string_view kUsualTag = "Q4_K_M";
constexpr std::array<std::string_view, 18> kBesideTensors = {"1_Pooling/config.json",
                                                             "adapter_config.json",
                                                             "added_tokens.json",
                                                             "chat_template.jinja",
                                                             "chat_template.json",
                                                             "config.json",
                                                             "config_sentence_transformers.json",
                                                             "generation_config.json",
                                                             "merges.txt",
                                                             "model.safetensors.index.json",
                                                             "modules.json",
                                                             "preprocessor_config.json",
                                                             "sentence_bert_config.json",
                                                             "special_tokens_map.json",
                                                             "tokenizer.json",
                                                             "tokenizer.model",
                                                             "tokenizer_config.json",
                                                             "vocab.json"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// Models to generate from: the projectors and the importances lie beside them.
bool is_model(std::string_view path) {
  const std::string name = lower(base_name(path));
  return name.ends_with(".gguf") && !name.starts_with("mmproj") &&
         name.find("imatrix") == std::string::npos;
}

bool has_tag(std::string_view path, std::string_view tag) {
  const std::string text = lower(path);
  const std::string wanted = lower(tag);
  for (std::size_t at = text.find(wanted); at != std::string::npos;
       at = text.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) {
      return true;
    }
  }
  return false;
}

std::string size_text(std::uint64_t bytes) {
  const std::uint64_t mebibytes = (bytes + (1U << 20U) - 1) >> 20U;
  return std::to_string(mebibytes) + " MiB";
}

std::string listed(const Files& files) {
  std::string text;
  std::size_t count = 0;
  for (const RemoteFile& file : files) {
    if (!is_model(file.path) && !file.path.ends_with(".safetensors")) continue;
    if (++count > kListedInErrorsMax) return text + "\n  and more";
    text += "\n  " + file.path + "  " + size_text(file.bytes);
  }
  return text.empty() ? "\n  no GGUF and no safetensors file" : text;
}

Error not_there(const std::string& what, const Files& files) {
  return {Code::kNotFound, what + "; the repository has:" + listed(files), {}, 0, 0};
}

std::string group_of(const std::string& path) {
  const auto split = parse_split_file(path);
  return split ? split->base : path;
}

template <class Filter>
Groups group_models(const Files& all, const Filter& filter) {
  Groups groups;
  for (const RemoteFile& file : all) {
    if (is_model(file.path) && filter(file.path)) groups[group_of(file.path)].push_back(file);
  }
  return groups;
}

Result<Files> whole(Files files, const Files& all) {
  const auto split = parse_split_file(files[0].path);
  if (split && files.size() != split->count) {
    return not_there(
        "not all " + std::to_string(split->count) + " parts of " + files[0].path + " are there",
        all);
  }
  return files;
}

Result<Files> one_of(Groups groups, const std::string& what, const Files& all) {
  if (groups.empty()) return not_there("no file is " + what, all);
  if (groups.size() > 1) return not_there(what + " names several models; give a file", all);
  return whole(std::move(groups.begin()->second), all);
}

Result<Files> named(const Files& all, const std::string& file) {
  const auto exact =
      std::find_if(all.begin(), all.end(), [&](const RemoteFile& one) { return one.path == file; });
  if (exact != all.end()) {
    if (!is_model(file)) return Files{*exact};
    const std::string group = group_of(file);
    return one_of(
        group_models(all, [&](const std::string& path) { return group_of(path) == group; }), file,
        all);
  }
  return one_of(group_models(all, [&](const std::string& path) { return has_tag(path, file); }),
                "'" + file + "'", all);
}

Files with_tensors(const Files& all) {
  const auto is_tensors = [](const RemoteFile& file) {
    return file.path.ends_with(".safetensors") && file.path.find('/') == std::string::npos;
  };
  const bool has_usual = std::any_of(all.begin(), all.end(), [&](const RemoteFile& file) {
    return is_tensors(file) && file.path.starts_with("model");
  });
  const bool has_any = std::any_of(all.begin(), all.end(), is_tensors);
  Files files;
  for (const RemoteFile& file : all) {
    const bool belongs =
        std::find(kBesideTensors.begin(), kBesideTensors.end(), file.path) != kBesideTensors.end();
    const bool is_model_part = is_tensors(file) && (!has_usual || file.path.starts_with("model"));
    if (has_any && (belongs || is_model_part)) files.push_back(file);
  }
  return files;
}

}  // namespace

bool matches_choice(std::string_view path, std::string_view file) {
  return path == file || (is_model(path) && has_tag(path, file));
}

Result<Files> choose_files(const Files& all, std::string_view file) {
  if (!file.empty()) return named(all, std::string(file));
  if (Files files = with_tensors(all); !files.empty()) return files;
  Groups groups = group_models(all, [](const std::string&) { return true; });
  if (groups.size() > 1) {
    groups = group_models(all, [](const std::string& path) { return has_tag(path, kUsualTag); });
    if (groups.size() != 1) return not_there("several models, none of them named", all);
  }
  return one_of(std::move(groups), "a model", all);
}

}  // namespace backplane::local
