// SPDX-License-Identifier: Apache-2.0
// What a reload keeps, what it replaces, and that a fault changes nothing.
#include "tests/runtime/host/deployment_folder.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

namespace backplane::test {
namespace {

class Reload : public DeploymentFolder {
 protected:
  std::string with(const std::string& backend, const std::string& more = {}) const {
    return deployment("backends: {a: " + backend + "}\nmodels: {m: {routes: [{backend: a}]}}\n" +
                      more);
  }
};

std::string generation_of(const std::string& answer) {
  const std::string name = "x-backplane-generation: ";
  const std::size_t found = answer.find(name);
  if (found == std::string::npos) return "none";
  const std::size_t begin = found + name.size();
  return answer.substr(begin, answer.find('\r', begin) - begin);
}

TEST_F(Reload, new_calls_are_served_by_the_new_deployment) {
  start(with(paced("x")));
  std::string answer = client().chat("m", "2");
  EXPECT_NE(answer.find("x0 "), std::string::npos) << answer;
  EXPECT_EQ(generation_of(answer), "1");
  ASSERT_EQ(reload(with(paced("y"))), "");
  answer = client().chat("m", "2");
  EXPECT_NE(answer.find("y0 "), std::string::npos) << answer;
  EXPECT_EQ(generation_of(answer), "2");
  EXPECT_EQ(metric("backplane_config_generation"), 2);
  EXPECT_EQ(metric("backplane_config_reloads_total{outcome=\"done\"}"), 1);
  EXPECT_EQ(metric("backplane_calls_total{model=\"m\",outcome=\"ok\"}"), 2);
  wait_for("the end of x", [&] { return lived("destroy x") == 1; });
  EXPECT_EQ(life(), (std::vector<std::string>{"create x", "start x", "create y", "start y",
                                              "drain x", "stop x", "destroy x"}));
}

TEST_F(Reload, an_unchanged_instance_is_kept) {
  start(with(paced("x")));
  std::string yaml = with(paced("x"), "limits: {max_body_bytes: 2048}\n");
  yaml.replace(yaml.find("}}\nmodels"), 2, ", max_concurrent: 7}}");
  yaml.replace(yaml.find("models: {m"), 10, "models: {other: {routes: [{backend: a}]}, m");
  ASSERT_EQ(reload(yaml), "");
  EXPECT_EQ(life(), (std::vector<std::string>{"create x", "start x"}));
  EXPECT_NE(client().get("/v1/models").find("\"other\""), std::string::npos);
  EXPECT_NE(client().chat("other", "1").find("x0 "), std::string::npos);
  EXPECT_NE(client().send("POST", "/v1/chat/completions", std::string(4000, ' ')).find("413"),
            std::string::npos);
}

// The bound is the new one, the calls under it are those that run.
TEST_F(Reload, places_taken_stay_taken) {
  const std::string hold = path("life.hold");
  std::ofstream(hold) << "";
  start(with(paced("x")));
  auto held = std::async(std::launch::async, [this] { return client().chat("m", "hold"); });
  const auto in_flight = [this] { return metric("backplane_live_calls") == 1; };
  wait_for("the call", in_flight);
  std::string yaml = with(paced("x"));
  yaml.replace(yaml.find("}}\nmodels"), 2, ", max_concurrent: 1}}");
  ASSERT_EQ(reload(yaml), "");
  EXPECT_NE(client().chat("m", "1").find("BACKEND_BUSY"), std::string::npos);
  std::filesystem::remove(hold);
  EXPECT_NE(held.get().find("[DONE]"), std::string::npos);
}

TEST_F(Reload, a_secret_that_changes_is_a_new_instance) {
  setenv("BP_TEST_KEY", "first-key-value", 1);
  const std::string yaml = with(paced("x", "key: {env: BP_TEST_KEY}"));
  start(yaml);
  ASSERT_EQ(reload(yaml), "");
  EXPECT_EQ(lived("create x"), 1);
  setenv("BP_TEST_KEY", "second-key-value", 1);
  ASSERT_EQ(reload(yaml), "");
  EXPECT_EQ(lived("create x"), 2);
  wait_for("the end of the first", [&] { return lived("destroy x") == 1; });
}

// However many deployments come and go meanwhile.
TEST_F(Reload, a_stream_ends_on_the_deployment_that_it_began_under) {
  const std::string hold = path("life.hold");
  std::ofstream(hold) << "";
  start(with(paced("x")));
  const int descriptor = client().connect();
  ASSERT_TRUE(HttpClient::write(descriptor, HttpClient::chat_request("m", "hold", false)));
  std::string stream = HttpClient::read_through(descriptor, "x3 ");
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(reload(deployment("backends: {b: " + paced("y" + std::to_string(i)) +
                                    "}\nmodels: {n: {routes: [{backend: b}]}}\n",
                                "keep_alive_ms: " + std::to_string(10000 + i))),
              "");
  }
  EXPECT_NE(client().chat("m", "1").find("MODEL_NOT_FOUND"), std::string::npos);
  EXPECT_EQ(lived("stop x"), 0);
  std::filesystem::remove(hold);
  stream += HttpClient::read_through(descriptor, {});
  close(descriptor);
  EXPECT_EQ(generation_of(stream), "1");
  EXPECT_NE(stream.find("[DONE]"), std::string::npos);
  wait_for("the end of x", [&] { return lived("destroy x") == 1; });
  wait_for("the end of the others", [&] { return lived("destroy y8") == 1; });
}

TEST_F(Reload, a_file_with_a_fault_changes_nothing) {
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const auto second = [&](const std::string& settings) {
    std::string yaml = with(paced("y"));
    return yaml.insert(yaml.find("{http: ") + 1,
                       "second: {uses: http, settings: {" + settings + "}}, ");
  };

  const struct {
    const char* what;
    std::string yaml;
    std::string told;
  } cases[] = {
      {"no YAML", "transports: {http: [\n", "deploy.yaml:"},
      {"an unknown key", with("{uses: paced, settings: {tog: x}}"), "did you mean \"tag\""},
      {"an unknown plugin", with("{uses: pased}"), "did you mean \"paced\""},
      {"a plugin that does not start", with(paced("y", "fails: true")), "told to fail"},
      {"a port that is taken", second("listen: \"127.0.0.1:" + port + "\""), "in use"},
      {"a certificate that is missing",
       second("listen: \"127.0.0.1:0\", tls: {certificate: {file: none.pem}, "
              "key: {file: none.pem}}"),
       "none.pem"},
      {"an admin port that is taken",
       with(paced("y"), "admin: {listen: \"127.0.0.1:" + port + "\", token: abcdefgh}\n"),
       "admin.listen: "},
  };
  start(with(paced("x")));
  int failed = 0;
  for (const auto& each : cases) {
    SCOPED_TRACE(each.what);
    const std::string told = reload(each.yaml);
    EXPECT_NE(told.find(each.told), std::string::npos) << told;
    const std::string answer = client().chat("m", "1");
    EXPECT_NE(answer.find("x0 "), std::string::npos) << answer;
    EXPECT_EQ(generation_of(answer), "1");
    EXPECT_EQ(metric("backplane_config_reloads_total{outcome=\"failed\"}"), ++failed);
    wait_for("the end of what was half made",
             [&] { return lived("create y") == lived("destroy y"); });
  }
  EXPECT_EQ(lived("destroy x"), 0);
  ASSERT_EQ(reload(with(paced("z"))), "");
  EXPECT_EQ(metric("backplane_config_generation"), 2);
  close(taken);
}

TEST_F(Reload, what_needs_a_restart_is_said) {
  start(with(paced("x")));
  write(with(paced("x"), "limits: {loops: 3}\n"));
  std::string lines;
  bp_error error{};
  EXPECT_EQ(bp_runtime_reload(
                runtime_,
                [](void* out, bp_str line) {
                  static_cast<std::string*>(out)->append(line.data, line.size);
                },
                &lines, &error),
            BP_CODE_OK);
  EXPECT_NE(lines.find("limits.loops: needs a restart"), std::string::npos) << lines;
}

}  // namespace
}  // namespace backplane::test
