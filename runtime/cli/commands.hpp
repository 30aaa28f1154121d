// SPDX-License-Identifier: Apache-2.0
// What each subcommand does. Each returns the exit status of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace backplane::cli {

struct ServeOptions {
  std::string file;
  std::string handover;  // path at which to take over, then to serve who takes over; empty: none
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

struct SchemaOptions {
  std::string plugin;     // empty: the deployment file's
  bool markdown = false;  // the reference of every key instead
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

struct PluginFileOptions {
  std::string file;
  std::string settings;  // check: JSON for create; empty: the schema's defaults
  std::string only;      // check: tests whose name contains this
  bool json = false;
};

int serve(const ServeOptions& options);
int check(const CheckOptions& options);
int explain(const ExplainOptions& options);
int schema(const SchemaOptions& options);
int chat(const ChatOptions& options);
int plugin_list(bool json);
int plugin_info(const PluginFileOptions& options);
int plugin_check(const PluginFileOptions& options);

}  // namespace backplane::cli
