// SPDX-License-Identifier: Apache-2.0
#include "plugins/backends/local/files/hf_tokenizer.hpp"

#include <algorithm>
#include <array>

#include "plugins/backends/local/files/gguf_reader.hpp"
#include "plugins/backends/local/files/json_file.hpp"

namespace backplane::local {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kTemplateBytesMax = 4u << 20;
constexpr std::byte kUnusedToken{5};  // in tokenizer.ggml.token_type

class TokenizerReader {
 public:
  TokenizerReader(const std::filesystem::path& folder, ModelFile& out)
      : folder_(folder), out_(out) {}

  Status read() {
    for (const auto& [name, object] :
         {std::pair{"tokenizer_config.json", &tokenizer_},
          std::pair{"generation_config.json", &generation_}, std::pair{"config.json", &model_}}) {
      auto document = read_json_file(folder_ / name);
      if (!document && document.error().code == Code::kNotFound) continue;
      if (!document) return document.error();
      *object = std::move(*document);
    }
    if (auto status = read_templates(); !status) return status;
    if (auto status = fill_up_tokens(); !status) return status;
    read_flags();
    read_ids();
    return ok();
  }

 private:
  void set_text(const std::string& key, std::string_view text) {
    out_.set(out_.keep(key), out_.keep(std::string(text)));
  }

  // The file of its own is the newer way.
  Status read_templates() {
    const auto file = MappedFile::open(folder_ / "chat_template.jinja");
    if (file && file->bytes().size() <= kTemplateBytesMax) {
      const auto bytes = file->bytes();
      set_text("tokenizer.chat_template",
               {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      return ok();
    }
    if (file) {
      return invalid_argument((folder_ / "chat_template.jinja").string() + ": has more than " +
                              std::to_string(kTemplateBytesMax) + " bytes");
    }
    const json::value* found = find_field(tokenizer_, "chat_template");
    if (found == nullptr) return ok();
    if (found->is_string()) set_text("tokenizer.chat_template", found->get_string());
    if (found->is_array()) read_named_templates(found->get_array());
    return ok();
  }

  void read_named_templates(const json::array& templates) {
    for (const json::value& entry : templates) {
      const json::object* fields = entry.if_object();
      const json::value* name = fields == nullptr ? nullptr : find_field(*fields, "name");
      const json::value* text = fields == nullptr ? nullptr : find_field(*fields, "template");
      if (name == nullptr || !name->is_string() || text == nullptr || !text->is_string()) continue;
      const std::string_view kind = name->get_string();
      const std::string suffix = kind == "default" ? "" : "." + std::string(kind);
      set_text("tokenizer.chat_template" + suffix, text->get_string());
    }
  }

  // Models have rows for more tokens than there are, up to a round number.
  Status fill_up_tokens() {
    const FileTensor* table = out_.tensor("token_embd.weight");
    const auto tokens = out_.strings("tokenizer.ggml.tokens");
    if (!tokens) return tokens.error();
    if (table == nullptr || table->dimensions.size() != 2 || *tokens == nullptr) return ok();
    const auto rows = static_cast<std::size_t>(table->dimensions[1]);
    const std::size_t count = (*tokens)->size();
    if (count >= rows) return ok();
    MetadataArray filled = **tokens;
    for (std::size_t i = count; i < rows; ++i) {
      filled.strings.push_back(out_.keep("[PAD" + std::to_string(i) + "]"));
    }
    out_.set("tokenizer.ggml.tokens", std::move(filled));
    fill_up("tokenizer.ggml.token_type", count, rows, kUnusedToken);
    fill_up("tokenizer.ggml.scores", count, rows, std::byte{0});
    fill_up("backplane.tokenizer.flags", count, rows, std::byte{0});
    return ok();
  }

  // With small numbers, of which `low` is the lowest byte.
  void fill_up(const char* key, std::size_t count, std::size_t rows, std::byte low) {
    const auto numbers = out_.numbers(key);
    if (!numbers || *numbers == nullptr || (*numbers)->size() != count) return;
    MetadataArray filled = **numbers;
    const std::size_t stride = gguf_type_bytes(filled.type);
    std::vector<std::byte> bytes(filled.raw.begin(), filled.raw.end());
    bytes.resize(rows * stride);
    for (std::size_t i = count; i < rows; ++i) bytes[i * stride] = low;
    filled.raw = out_.keep(std::move(bytes));
    out_.set(key, std::move(filled));
  }

  // What tokenizer.json does is done; the other file may ask for more.
  void read_flags() {
    for (const char* name : {"add_bos_token", "add_eos_token"}) {
      const std::string key = "tokenizer.ggml." + std::string(name);
      const json::value* flag = find_field(tokenizer_, name);
      if (flag == nullptr || !flag->is_bool()) continue;
      if (flag->get_bool() || out_.find(key) == nullptr) out_.set(out_.keep(key), flag->get_bool());
    }
  }

  // tokenizer_config.json names a token by its text, the others by its number.
  void read_ids() {
    constexpr std::pair<const char*, const char*> kKinds[] = {
        {"bos_token", "tokenizer.ggml.bos_token_id"},
        {"eos_token", "tokenizer.ggml.eos_token_id"},
        {"unk_token", "tokenizer.ggml.unknown_token_id"},
        {"pad_token", "tokenizer.ggml.padding_token_id"}};
    for (const auto& [name, key] : kKinds) {
      if (const auto id = find_text(name)) {
        out_.set(key, *id);
      } else if (const auto ids = find_ids(std::string(name) + "_id"); !ids.empty()) {
        out_.set(key, ids.front());
      }
    }
    read_ends();
  }

  // A model may end its turn with several tokens; GGUF has three names for such.
  void read_ends() {
    const auto eos = out_.unsigned_number("tokenizer.ggml.eos_token_id");
    std::vector<std::uint64_t> ends = find_ids("eos_token_id");
    if (eos && eos->has_value()) std::erase(ends, **eos);
    constexpr std::array<const char*, 2> kKeys = {"tokenizer.ggml.eot_token_id",
                                                  "tokenizer.ggml.eom_token_id"};
    for (std::size_t i = 0; i < std::min(ends.size(), kKeys.size()); ++i) {
      out_.set(kKeys[i], ends[i]);
    }
  }

  std::vector<std::uint64_t> find_ids(const std::string& name) const {
    const json::value* found = find_field(generation_, name);
    if (found == nullptr) found = find_field(model_, name);
    std::vector<std::uint64_t> ids;
    if (found == nullptr) return ids;
    if (const auto id = whole_number(*found)) ids.push_back(*id);
    if (!found->is_array()) return ids;
    for (const json::value& element : found->get_array()) {
      if (const auto id = whole_number(element)) ids.push_back(*id);
    }
    return ids;
  }

  std::optional<std::uint64_t> find_text(const std::string& name) const {
    const json::value* found = find_field(tokenizer_, name);
    if (found != nullptr && found->is_object()) found = find_field(found->get_object(), "content");
    if (found == nullptr || !found->is_string()) return std::nullopt;
    const auto tokens = out_.strings("tokenizer.ggml.tokens");
    if (!tokens || *tokens == nullptr) return std::nullopt;
    const auto& texts = (*tokens)->strings;
    const auto place = std::find(texts.begin(), texts.end(), std::string_view(found->get_string()));
    if (place == texts.end()) return std::nullopt;
    return static_cast<std::uint64_t>(place - texts.begin());
  }

  const std::filesystem::path& folder_;
  ModelFile& out_;
  json::object tokenizer_, generation_, model_;
};

}  // namespace

Status read_hf_tokenizer(const std::filesystem::path& folder, ModelFile& out) {
  return TokenizerReader(folder, out).read();
}

}  // namespace backplane::local
