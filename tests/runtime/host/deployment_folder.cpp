// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/host/deployment_folder.hpp"

#include <algorithm>
#include <backplane/plugin.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace backplane::test {

void DeploymentFolder::SetUp() {
  std::string pattern = (std::filesystem::temp_directory_path() / "backplane-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
}

void DeploymentFolder::TearDown() {
  stop();
  std::filesystem::remove_all(folder_);
}

std::string DeploymentFolder::deployment(const std::string& rest, const std::string& http) const {
  return "transports: {http: {uses: http, settings: {listen: \"unix:" + path("http.sock") + '"' +
         (http.empty() ? "" : ", " + http) + "}}}\nplugins: {path: [\"" TEST_PLUGINS "\"]}\n" +
         "log: {level: \"off\"}\n" + rest;
}

std::string DeploymentFolder::paced(const std::string& tag, const std::string& more) const {
  return "{uses: paced, settings: {tag: \"" + tag + "\", life: \"" + path("life") + '"' +
         (more.empty() ? "" : ", " + more) + "}}";
}

void DeploymentFolder::write(const std::string& yaml) const {
  const std::string fresh = path("deploy.yaml.new");
  std::ofstream(fresh) << yaml;
  std::filesystem::rename(fresh, path("deploy.yaml"));
}

void DeploymentFolder::start(const std::string& yaml) {
  write(yaml);
  bp_error error{};
  ASSERT_EQ(bp_runtime_start(path("deploy.yaml").c_str(), nullptr, nullptr, &runtime_, &error),
            BP_CODE_OK)
      << error.message;
}

void DeploymentFolder::stop() {
  if (runtime_ != nullptr) bp_runtime_stop(std::exchange(runtime_, nullptr));
}

std::string DeploymentFolder::reload() {
  std::string lines;
  bp_error error{};
  const std::uint32_t code = bp_runtime_reload(
      runtime_,
      [](void* out, bp_str line) {
        static_cast<std::string*>(out)->append(view(line)).append("\n");
      },
      &lines, &error);
  if (code == BP_CODE_OK) return {};
  EXPECT_NE(lines.find(std::string(error.message).substr(0, 40)), std::string::npos) << lines;
  return lines;
}

std::string DeploymentFolder::reload(const std::string& yaml) {
  write(yaml);
  return reload();
}

std::vector<std::string> DeploymentFolder::life() const {
  std::vector<std::string> lines;
  std::ifstream file(path("life"));
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

int DeploymentFolder::lived(const std::string& line) const {
  const std::vector<std::string> lines = life();
  return static_cast<int>(std::count(lines.begin(), lines.end(), line));
}

double DeploymentFolder::metric(const std::string& series) const {
  const std::string text = client().get("/metrics");
  const std::size_t found = text.find('\n' + series + ' ');
  return found == std::string::npos ? -1 : std::stod(text.substr(found + series.size() + 2));
}

void DeploymentFolder::wait_for(const char* what, const std::function<bool()>& done) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "waited in vain: " << what;
    std::this_thread::yield();
  }
}

}  // namespace backplane::test
