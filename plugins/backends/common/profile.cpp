// SPDX-License-Identifier: Apache-2.0
#include "common/profile.hpp"

#include <algorithm>
#include <array>

namespace backplane::dialect {
namespace {

constexpr FieldAction kRemove = FieldAction::kRemove;
constexpr FieldAction kDrop = FieldAction::kDrop;
constexpr FieldAction kRefuse = FieldAction::kRefuse;
constexpr FieldAction kRename = FieldAction::kRename;
constexpr FieldAction kReplace = FieldAction::kReplace;

// The reasoning of earlier turns goes back under the name it came by.
constexpr FieldRule kReasoningBack{"messages[].reasoning_content", kRename, "reasoning"};
constexpr FieldRule kNewLimit{"max_tokens", kRename, "max_completion_tokens"};
constexpr FieldRule kOldLimit{"max_completion_tokens", kRename, "max_tokens"};

constexpr std::array kNewLimitFields{kNewLimit};
constexpr std::array kOldLimitFields{kOldLimit};
constexpr std::array kReasoningFields{kReasoningBack};
constexpr std::array kOldLimitReasoningFields{kOldLimit, kReasoningBack};

constexpr std::array kDeepInfraFields{
    kOldLimit, FieldRule{"messages[].role", kReplace, "developer", "system"}};

constexpr std::array kGroqFields{
    kNewLimit,
    kReasoningBack,
    FieldRule{"logit_bias", kDrop},
    FieldRule{"logprobs", kRefuse},
    FieldRule{"messages[].name", kDrop},
    FieldRule{"metadata", kDrop},
    FieldRule{"n", kRefuse, "1"},
    FieldRule{"provider", kRemove},
    FieldRule{"store", kDrop},
    FieldRule{"top_logprobs", kRefuse},
};

constexpr std::array kSambaNovaFields{
    kReasoningBack,
    FieldRule{"logit_bias", kDrop},
    FieldRule{"n", kRefuse, "1"},
    FieldRule{"parallel_tool_calls", kDrop},
    FieldRule{"seed", kDrop},
};

constexpr std::array kVeniceFields{
    kNewLimit,
    FieldRule{"n", kRefuse, "1", {}, "images.generations"},
    FieldRule{"provider", kRemove},
};

// docs.vllm.ai and docs.sglang.ai, the chat API's extra parameters.
constexpr std::array<std::pair<std::string_view, bool>, 2> kVllmContinuation{
    {{"add_generation_prompt", false}, {"continue_final_message", true}}};
constexpr std::array<std::pair<std::string_view, bool>, 1> kSglangContinuation{
    {{"continue_final_message", true}}};

constexpr std::string_view kText = "chat.completions completions";
constexpr std::string_view kTextVectors = "chat.completions completions embeddings";
constexpr std::string_view kServer = "chat.completions completions responses embeddings rerank";
constexpr std::string_view kVeniceHeaders =
    "x-venice-is-blurred x-venice-is-content-violation x-venice-model-deprecation-date "
    "x-venice-model-deprecation-warning x-venice-model-id x-venice-model-name "
    "x-venice-model-router x-venice-tee x-venice-tee-provider";

// By name. A key, an unasked usage, a list of models: as the provider's own pages or recordings
// say.
constexpr std::array kProfiles{
    Profile{.name = "alibaba",
            .base_url = "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            .operations = "chat.completions embeddings"},
    Profile{.name = "cerebras", .base_url = "https://api.cerebras.ai/v1", .operations = kText},
    Profile{.name = "deepinfra",
            .base_url = "https://api.deepinfra.com/v1/openai",
            .operations = "chat.completions completions embeddings images.generations audio.speech "
                          "audio.transcriptions audio.translations",
            .fields = kDeepInfraFields},
    Profile{.name = "deepseek",
            .base_url = "https://api.deepseek.com",
            .operations = "chat.completions",
            .fields = kOldLimitFields},
    Profile{.name = "fireworks",
            .base_url = "https://api.fireworks.ai/inference/v1",
            .asks_usage = false,
            .operations = kServer,
            .fields = kOldLimitFields},
    Profile{.name = "gpustack",
            .base_url = {},
            .asks_usage = false,
            .operations = "chat.completions completions embeddings rerank images.generations "
                          "audio.speech audio.transcriptions"},
    Profile{.name = "groq",
            .base_url = "https://api.groq.com/openai/v1",
            .asks_usage = false,
            .operations = "chat.completions responses embeddings audio.speech audio.transcriptions "
                          "audio.translations",
            .fields = kGroqFields,
            .passed_headers = "x-groq-region"},
    Profile{.name = "huggingface",
            .base_url = "https://router.huggingface.co/v1",
            .operations = "chat.completions responses",
            .leaves_tags = true},
    Profile{.name = "llama.cpp",
            .base_url = "http://127.0.0.1:8080/v1",
            .needs_key = false,
            .operations = kServer},
    Profile{.name = "near", .base_url = "https://cloud-api.near.ai/v1", .operations = kText},
    Profile{.name = "ollama",
            .base_url = "http://127.0.0.1:11434/v1",
            .needs_key = false,
            .operations = "chat.completions completions responses embeddings",
            .fields = kOldLimitReasoningFields},
    Profile{.name = "openai",
            .base_url = "https://api.openai.com/v1",
            .operations = "chat.completions completions responses embeddings moderations "
                          "images.generations images.edits images.variations audio.speech "
                          "audio.transcriptions audio.translations",
            .fields = kNewLimitFields},
    Profile{.name = "openrouter",
            .base_url = "https://openrouter.ai/api/v1",
            .asks_usage = false,
            .operations = "chat.completions completions responses embeddings",
            .fields = kReasoningFields,
            .passed_headers = "x-generation-id"},
    Profile{.name = "perplexity",
            .base_url = "https://api.perplexity.ai",
            .asks_usage = false,
            .lists_models = false,
            .operations = "chat.completions",
            .fields = kOldLimitFields},
    Profile{
        .name = "phala", .base_url = "https://inference.phala.com/v1", .operations = kTextVectors},
    Profile{.name = "redpill", .base_url = "https://api.redpill.ai/v1", .operations = kTextVectors},
    Profile{.name = "sambanova",
            .base_url = "https://api.sambanova.ai/v1",
            .operations = "chat.completions completions embeddings audio.transcriptions "
                          "audio.translations",
            .fields = kSambaNovaFields},
    Profile{.name = "sglang",
            .base_url = "http://127.0.0.1:30000/v1",
            .needs_key = false,
            .operations = kServer,
            .continuation = kSglangContinuation},
    Profile{.name = "together",
            .base_url = "https://api.together.ai/v1",
            .asks_usage = false,
            .operations = "chat.completions completions embeddings rerank images.generations "
                          "audio.speech audio.transcriptions audio.translations",
            .fields = kOldLimitFields},
    Profile{.name = "venice",
            .base_url = "https://api.venice.ai/api/v1",
            .operations = "chat.completions responses embeddings images.generations audio.speech "
                          "audio.transcriptions",
            .fields = kVeniceFields,
            .passed_headers = kVeniceHeaders,
            .sealed_models = "e2ee-"},
    Profile{.name = "vllm",
            .base_url = "http://127.0.0.1:8000/v1",
            .needs_key = false,
            .operations = "chat.completions completions responses embeddings rerank "
                          "audio.transcriptions audio.translations",
            .continuation = kVllmContinuation},
    Profile{.name = "xai",
            .base_url = "https://api.x.ai/v1",
            .operations = "chat.completions responses images.generations"},
};

struct KnownName {
  std::string_view profile;
  std::string_view model;
  std::string_view name;
};

constexpr std::string_view kGptOss120 = "gpt-oss-120b";
constexpr std::string_view kGptOss20 = "gpt-oss-20b";
constexpr std::string_view kLlama70 = "llama-3.3-70b-instruct";
constexpr std::string_view kLlama8 = "llama-3.1-8b-instruct";
constexpr std::string_view kDeepSeekR1 = "deepseek-r1";

constexpr std::array kKnownNames{
    KnownName{"cerebras", kLlama70, "llama-3.3-70b"},
    KnownName{"cerebras", kLlama8, "llama3.1-8b"},
    KnownName{"deepinfra", kDeepSeekR1, "deepseek-ai/DeepSeek-R1"},
    KnownName{"deepinfra", kGptOss120, "openai/gpt-oss-120b"},
    KnownName{"deepinfra", kGptOss20, "openai/gpt-oss-20b"},
    KnownName{"deepinfra", kLlama70, "meta-llama/Llama-3.3-70B-Instruct"},
    KnownName{"deepinfra", kLlama8, "meta-llama/Meta-Llama-3.1-8B-Instruct"},
    KnownName{"deepseek", kDeepSeekR1, "deepseek-reasoner"},
    KnownName{"fireworks", kDeepSeekR1, "accounts/fireworks/models/deepseek-r1"},
    KnownName{"fireworks", kGptOss120, "accounts/fireworks/models/gpt-oss-120b"},
    KnownName{"fireworks", kGptOss20, "accounts/fireworks/models/gpt-oss-20b"},
    KnownName{"fireworks", kLlama70, "accounts/fireworks/models/llama-v3p3-70b-instruct"},
    KnownName{"fireworks", kLlama8, "accounts/fireworks/models/llama-v3p1-8b-instruct"},
    KnownName{"groq", kGptOss120, "openai/gpt-oss-120b"},
    KnownName{"groq", kGptOss20, "openai/gpt-oss-20b"},
    KnownName{"groq", kLlama70, "llama-3.3-70b-versatile"},
    KnownName{"groq", kLlama8, "llama-3.1-8b-instant"},
    KnownName{"huggingface", kDeepSeekR1, "deepseek-ai/DeepSeek-R1"},
    KnownName{"huggingface", kGptOss120, "openai/gpt-oss-120b"},
    KnownName{"huggingface", kGptOss20, "openai/gpt-oss-20b"},
    KnownName{"huggingface", kLlama70, "meta-llama/Llama-3.3-70B-Instruct"},
    KnownName{"huggingface", kLlama8, "meta-llama/Llama-3.1-8B-Instruct"},
    KnownName{"ollama", kGptOss120, "gpt-oss:120b"},
    KnownName{"ollama", kGptOss20, "gpt-oss:20b"},
    KnownName{"ollama", kLlama70, "llama3.3:70b"},
    KnownName{"ollama", kLlama8, "llama3.1:8b"},
    KnownName{"openrouter", kDeepSeekR1, "deepseek/deepseek-r1"},
    KnownName{"openrouter", kGptOss120, "openai/gpt-oss-120b"},
    KnownName{"openrouter", kGptOss20, "openai/gpt-oss-20b"},
    KnownName{"openrouter", kLlama70, "meta-llama/llama-3.3-70b-instruct"},
    KnownName{"openrouter", kLlama8, "meta-llama/llama-3.1-8b-instruct"},
    KnownName{"redpill", kGptOss120, "openai/gpt-oss-120b"},
    KnownName{"redpill", kLlama70, "meta-llama/llama-3.3-70b-instruct"},
    KnownName{"sambanova", kDeepSeekR1, "DeepSeek-R1"},
    KnownName{"sambanova", kLlama70, "Meta-Llama-3.3-70B-Instruct"},
    KnownName{"sambanova", kLlama8, "Meta-Llama-3.1-8B-Instruct"},
    KnownName{"together", kDeepSeekR1, "deepseek-ai/DeepSeek-R1"},
    KnownName{"together", kGptOss120, "openai/gpt-oss-120b"},
    KnownName{"together", kGptOss20, "openai/gpt-oss-20b"},
    KnownName{"together", kLlama70, "meta-llama/Llama-3.3-70B-Instruct-Turbo"},
    KnownName{"together", kLlama8, "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"},
    KnownName{"venice", kLlama70, "llama-3.3-70b"},
};

}  // namespace

std::span<const Profile> profiles() {
  return kProfiles;
}

const Profile* find_profile(std::string_view name) {
  const auto found = std::find_if(kProfiles.begin(), kProfiles.end(),
                                  [&](const Profile& known) { return known.name == name; });
  return found == kProfiles.end() ? nullptr : &*found;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    if (words.substr(0, space) == word) return true;
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return false;
}

std::string_view known_name(std::string_view profile, std::string_view model) {
  const auto is_it = [&](const KnownName& known) {
    return known.profile == profile && known.model == model;
  };
  const auto found = std::find_if(kKnownNames.begin(), kKnownNames.end(), is_it);
  return found == kKnownNames.end() ? std::string_view{} : found->name;
}

std::vector<std::string_view> known_models(std::string_view profile) {
  std::vector<std::string_view> models;
  for (const KnownName& known : kKnownNames) {
    if (known.profile == profile) models.push_back(known.model);
  }
  return models;
}

}  // namespace backplane::dialect
