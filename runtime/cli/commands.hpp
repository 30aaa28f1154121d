// SPDX-License-Identifier: Apache-2.0
// What each subcommand does. Each returns the exit status of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace backplane::cli {

struct ServeOptions {
  std::string file;
};

struct CheckOptions {
  std::string file;
  bool no_env = false;
};

struct ExplainOptions {
  std::string file;
  std::string model;
  bool no_env = false;
};

struct ChatOptions {
  std::string url = "http://127.0.0.1:8080/v1";
  std::string model;       // empty: the first that the server lists
  std::string system;      // system message; empty: none
  std::string once;        // one question, then exit; empty: interactive
  std::string deployment;  // a file to serve within this process first; empty: use url
  std::string key_variable = "OPENAI_API_KEY";
  std::optional<double> temperature;
  std::uint32_t max_tokens = 0;  // 0: the server's default
};

struct PluginCheckOptions {
  std::string file;
  bool json = false;
};

int serve(const ServeOptions& options);
int check(const CheckOptions& options);
int explain(const ExplainOptions& options);
int schema(const std::string& plugin);
int chat(const ChatOptions& options);
int plugin_list();
int plugin_info(const std::string& file);
int plugin_check(const PluginCheckOptions& options);

}  // namespace backplane::cli
