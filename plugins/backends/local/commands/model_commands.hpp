// SPDX-License-Identifier: Apache-2.0
// `backplane model ...`: what each of its commands does, on the process's standard streams. Each
// returns the exit status: 0 done, 1 failed. [control]
#pragma once

#include <cstdint>
#include <string>

#include "plugins/backends/local/store/pull.hpp"

namespace backplane::local {

struct PullArguments {
  std::string source;
  std::string store;  // empty: the default one; so in all of these
  std::string url;
  std::size_t connections = kConnectionsDefault;
  std::size_t retries = kRetriesDefault;
  long idle_timeout_s = 30;
  bool is_quiet = false;
};

struct ListArguments {
  std::string store;
  bool is_json = false;
};

struct RemoveArguments {
  std::string name;
  std::string store;
  bool is_sure = false;
};

struct InfoArguments {
  std::string model;  // a path, or a name in the store
  std::string store;
  bool is_json = false;
  bool has_tensors = false;
};

struct EvaluateArguments {
  std::string model;
  std::string text;  // path of a file
  std::string against;
  std::string store;
  std::size_t context_tokens = 512;
  std::size_t windows_max = 0;
  std::size_t threads = 0;
  bool is_json = false;
  bool is_quiet = false;
};

struct ConvertArguments {
  std::string source;
  std::string output;
  std::string type;
  bool is_forced = false;
  EvaluateArguments evaluate;  // the text is empty: not wanted
};

std::uint32_t model_convert(const ConvertArguments& arguments);
std::uint32_t model_evaluate(const EvaluateArguments& arguments);
std::uint32_t model_pull(const PullArguments& arguments);
std::uint32_t model_list(const ListArguments& arguments);
std::uint32_t model_remove(const RemoveArguments& arguments);
std::uint32_t model_info(const InfoArguments& arguments);

// Prints the error; 1.
std::uint32_t command_failed(const Error& error);
Result<ModelStore> store_at(const std::string& path);
// A path as it is, or that of the model which hf:... names in the store.
Result<std::string> path_of_model(const std::string& model, const std::string& store);

}  // namespace backplane::local
