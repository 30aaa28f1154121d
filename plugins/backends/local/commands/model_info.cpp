// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/json.hpp>
#include <iostream>
#include <map>

#include "plugins/backends/local/commands/model_commands.hpp"
#include "plugins/backends/local/files/model_file.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

// One line of what is printed, and the same in JSON.
struct Fact {
  const char* key;
  std::string label;
  json::value value;
  std::string text;  // empty: nothing is known
};

std::string text_at(const ModelFile& file, std::string_view key) {
  const auto text = file.text(key);
  return text && *text ? printable(**text) : "";
}

std::uint64_t weights_of(const FileTensor& tensor) {
  std::uint64_t weights = 1;
  for (const std::uint64_t dimension : tensor.dimensions) weights *= dimension;
  return weights;
}

std::string type_name(std::uint32_t type) {
  const GgmlType* known = find_ggml_type(type);
  return known == nullptr ? "type " + std::to_string(type) : known->name;
}

std::string shape_text(const FileTensor& tensor) {
  std::string text;
  for (const std::uint64_t dimension : tensor.dimensions) {
    text += (text.empty() ? "" : " x ") + std::to_string(dimension);
  }
  return text;
}

class Facts {
 public:
  explicit Facts(const ModelFile& file) : file_(file) {
    architecture_ = text_at(file, "general.architecture");
    texts();
    sizes();
    tensors();
  }
  const std::vector<Fact>& all() const { return facts_; }

 private:
  void add(const char* key, const char* label, json::value value, std::string text) {
    facts_.push_back({key, label, std::move(value), std::move(text)});
  }
  void add_text(const char* key, const char* label, const std::string& text) {
    add(key, label, text.empty() ? json::value() : json::value(text), text);
  }
  void add_number(const char* key, const char* label, const std::string& place) {
    const auto number = file_.unsigned_number(place);
    if (!number || !*number) return add(key, label, nullptr, "");
    add(key, label, **number, std::to_string(**number));
  }
  void texts();
  void sizes();
  void tensors();

  const ModelFile& file_;
  std::string architecture_;
  std::vector<Fact> facts_;
};

void Facts::texts() {
  add_text("name", "name", text_at(file_, "general.name"));
  add_text("architecture", "architecture", architecture_);
  add_text("license", "license", text_at(file_, "general.license"));
  std::string tokenizer = text_at(file_, "tokenizer.ggml.model");
  const std::string pre = text_at(file_, "tokenizer.ggml.pre");
  if (!pre.empty()) tokenizer += " (" + pre + ")";
  add_text("tokenizer", "tokenizer", tokenizer);
  const auto tokens = file_.strings("tokenizer.ggml.tokens");
  const std::size_t vocabulary = tokens && *tokens != nullptr ? (*tokens)->size() : 0;
  add("vocabulary", "vocabulary", vocabulary, std::to_string(vocabulary) + " tokens");
  const bool has_template = file_.find("tokenizer.chat_template") != nullptr;
  add("chat_template", "chat template", has_template, has_template ? "yes" : "no");
}

void Facts::sizes() {
  add_number("context_length", "context", architecture_ + ".context_length");
  add_number("layers", "layers", architecture_ + ".block_count");
  add_number("embedding_length", "embedding", architecture_ + ".embedding_length");
  add_number("feed_forward_length", "feed forward", architecture_ + ".feed_forward_length");
  add_number("heads", "heads", architecture_ + ".attention.head_count");
  add_number("kv_heads", "kv heads", architecture_ + ".attention.head_count_kv");
}

void Facts::tensors() {
  std::map<std::string, std::uint64_t> weights_by_type;
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;
  for (const FileTensor& tensor : file_.tensors()) {
    weights_by_type[type_name(tensor.type)] += weights_of(tensor);
    weights += weights_of(tensor);
    bytes += tensor.data.size();
  }
  std::string main_type;
  json::object types;
  for (const auto& [name, count] : weights_by_type) {
    types[name] = count;
    if (main_type.empty() || count > weights_by_type[main_type]) main_type = name;
  }
  add("parameters", "parameters", weights, std::to_string(weights));
  add("bytes", "tensor bytes", bytes, bytes_text(bytes));
  add_text("type", "type", main_type);
  std::string by_type;
  for (const auto& [name, count] : weights_by_type) {
    by_type += (by_type.empty() ? "" : ", ") + name + " " + std::to_string(count);
  }
  add("weights_by_type", "weights by type", std::move(types), by_type);
  add("tensor_count", "tensors", file_.tensors().size(), std::to_string(file_.tensors().size()));
}

void print_json(const ModelFile& file, const Facts& facts, bool has_tensors) {
  json::object document{{"path", printable(file.path())}};
  for (const Fact& fact : facts.all()) document[fact.key] = fact.value;
  if (has_tensors) {
    json::array list;
    for (const FileTensor& tensor : file.tensors()) {
      list.push_back(
          json::object{{"name", printable(tensor.name)},
                       {"type", type_name(tensor.type)},
                       {"shape", json::array(tensor.dimensions.begin(), tensor.dimensions.end())},
                       {"bytes", tensor.data.size()}});
    }
    document["tensors"] = std::move(list);
  }
  std::cout << json::serialize(document) << '\n';
}

void print_table(const ModelFile& file, const Facts& facts, bool has_tensors) {
  for (const Fact& fact : facts.all()) {
    std::string label = fact.label;
    label.resize(16, ' ');
    if (!fact.text.empty()) std::cout << label << fact.text << '\n';
  }
  if (!has_tensors) return;
  for (const FileTensor& tensor : file.tensors()) {
    std::string name = printable(tensor.name);
    name.resize(std::max<std::size_t>(name.size(), 32), ' ');
    std::cout << name << "  " << type_name(tensor.type) << "  " << shape_text(tensor) << '\n';
  }
}

}  // namespace

std::uint32_t model_info(const InfoArguments& arguments) {
  const auto path = path_of_model(arguments.model, arguments.store);
  if (!path) return command_failed(path.error());
  const auto file = ModelFile::open(*path);
  if (!file) return command_failed(file.error());
  const Facts facts(*file);
  if (arguments.is_json) {
    print_json(*file, facts, arguments.has_tensors);
  } else {
    print_table(*file, facts, arguments.has_tensors);
  }
  return 0;
}

}  // namespace backplane::local
