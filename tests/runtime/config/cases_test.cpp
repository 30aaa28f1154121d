// SPDX-License-Identifier: Apache-2.0
// Runs every case of cases/*.txt. With BACKPLANE_SHOW_CASES set, prints what came of each instead.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "runtime/config/explain.hpp"
#include "runtime/config/load.hpp"
#include "tests/runtime/config/case_file.hpp"
#include "tests/runtime/config/fake_schemas.hpp"
#include "tests/runtime/config/folder.hpp"

namespace backplane::config {
namespace {

namespace fs = std::filesystem;

std::string without(std::string text, const std::string& prefix) {
  for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
    text.erase(at, prefix.size());
  }
  return text;
}

std::string show(const char* section, const std::vector<PluginInstance>& instances) {
  std::string text;
  for (const PluginInstance& instance : instances) {
    text += std::string(section) + " " + instance.name + ": " + instance.plugin + " " +
            instance.version + " " + instance.settings;
    if (instance.kind == PluginKind::kBackend) {
      text += " max_concurrent " + std::to_string(instance.max_concurrent) + ", timeout_ms " +
              std::to_string(instance.timeout_ms);
    }
    text += "\n";
  }
  return text;
}

std::string show(const Model& model) {
  std::string text = "model " + model.name;
  for (const std::string& alias : model.aliases) {
    text += " = " + alias;
  }
  text += model.policy == Policy::kWeighted ? ": weighted" : ": ordered";
  if (model.price) {
    text += ", " + std::to_string(model.price->input_nano_usd_per_million_tokens) + " in, " +
            std::to_string(model.price->output_nano_usd_per_million_tokens) + " out";
  }
  for (const Route& route : model.routes) {
    text += "\n  " + route.backend + " " + route.model + " * " + std::to_string(route.weight);
  }
  return text + "\n";
}

std::string show(const Deployment& deployment) {
  std::string text = show("transport", deployment.transports) +
                     show("backend", deployment.backends) + show("payment", deployment.payments);
  for (const Model& model : deployment.models) {
    text += show(model);
  }
  for (const std::string& name : deployment.secrets.names()) {
    text += name + " = " + *deployment.secrets.find(name) + "\n";
  }
  for (const std::string& folder : deployment.plugins.folders) {
    text += "plugins in " + folder + "\n";
  }
  for (const auto& [file, digest] : deployment.plugins.digests) {
    text += "plugin file " + file + " " + digest.substr(0, 8) + "\n";
  }
  return text;
}

std::string outcome(const std::string& section, const LoadResult& result) {
  if (section == "errors") {
    return format(result.errors);
  }
  if (section == "warnings") {
    return format(result.warnings);
  }
  if (!result) {
    return "errors:\n" + format(result.errors);
  }
  if (section == "explain") {
    return explain(*result.deployment);
  }
  if (section.rfind("explain ", 0) == 0) {
    const Result<std::string> text = explain_model(*result.deployment, section.substr(8));
    return text ? *text : text.error().message + "\n";
  }
  return show(*result.deployment);
}

class CaseTest : public testing::TestWithParam<std::string> {};

TEST_P(CaseTest, Holds) {
  const bool is_shown = std::getenv("BACKPLANE_SHOW_CASES") != nullptr;
  const std::vector<Case> cases = read_cases(GetParam());
  ASSERT_FALSE(cases.empty());
  for (const Case& item : cases) {
    SCOPED_TRACE(GetParam() + ": " + item.title);
    const Folder folder;
    for (const auto& [name, content] : item.files) {
      folder.write(name, content);
    }
    LoadOptions options;
    options.no_env = item.no_env;
    options.environment = [&](const std::string& name) {
      const auto found = item.environment.find(name);
      return found != item.environment.end() ? std::optional(found->second) : std::nullopt;
    };
    const std::string file = item.files.empty() ? "deploy.yaml" : item.files.front().first;
    const LoadResult result = load(folder.file(file), FakeSchemas(), options);
    EXPECT_FALSE(item.expected.empty());
    if (is_shown) {
      std::cout << "=== " << item.title << "\n";
    }
    for (const auto& [section, text] : item.expected) {
      const std::string actual = without(outcome(section, result), folder.prefix());
      if (is_shown) {
        std::cout << "--- " << section << "\n" << actual;
      } else {
        EXPECT_EQ(actual, text) << section;
      }
      EXPECT_TRUE(result || section == "errors" || section == "warnings") << format(result.errors);
    }
  }
}

std::vector<std::string> case_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(CASES_FOLDER)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string name_of_case(const testing::TestParamInfo<std::string>& info) {
  return fs::path(info.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(Files, CaseTest, testing::ValuesIn(case_files()), name_of_case);

}  // namespace
}  // namespace backplane::config
