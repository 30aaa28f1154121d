// SPDX-License-Identifier: Apache-2.0
// What a reload keeps, what it replaces, and that a fault changes nothing.
#include "tests/runtime/host/deployment_folder.hpp"

#include <arpa/inet.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

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

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::string sha256_of(const std::filesystem::path& file) {
  const std::string bytes = text_of(file);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char byte : digest) (out += kHex[byte >> 4U]) += kHex[byte & 15U];
  return out;
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
  setenv("BP_TEST_KEY", "first-key-value", 1);
  const std::string telemetry =
      "telemetry: {otlp: {endpoint: \"http://127.0.0.1:9\", sample_ratio: 0, "
      "headers: {x-key: {env: BP_TEST_KEY}}}}\n";
  start(with(paced("x"), telemetry));
  const auto warnings_of = [this](const std::string& yaml) {
    write(yaml);
    std::string lines;
    bp_error error{};
    EXPECT_EQ(bp_runtime_reload(
                  runtime_,
                  [](void* out, bp_str line) {
                    static_cast<std::string*>(out)->append(line.data, line.size);
                  },
                  &lines, &error),
              BP_CODE_OK);
    return lines;
  };
  const auto says = [](const std::string& lines, const char* section) {
    return lines.find(std::string(section) + ": needs a restart") != std::string::npos;
  };
  EXPECT_EQ(warnings_of(with(paced("x"), telemetry)), "");
  EXPECT_TRUE(
      says(warnings_of(with(paced("x"), telemetry + "limits: {loops: 3}\n")), "limits.loops"));
  setenv("BP_TEST_KEY", "second-key-value", 1);
  EXPECT_TRUE(says(warnings_of(with(paced("x"), telemetry)), "telemetry"));
  EXPECT_TRUE(says(warnings_of(with(paced("x"))), "telemetry"));
  std::string yaml = with(paced("x"));
  yaml.replace(yaml.find("level: "), 7, "format: json, level: ");
  EXPECT_TRUE(says(warnings_of(yaml), "log.format"));
  EXPECT_NE(client().chat("m", "1").find("x0 "), std::string::npos);
}

// A process cannot load a path twice: the old code would run on under the new file's name.
TEST_F(Reload, a_plugin_file_that_was_replaced_wants_a_new_process) {
  namespace fs = std::filesystem;
  const fs::path folder = path("plugins/backends");
  fs::create_directories(folder);
  for (const char* name : {"paced.so", "paced.yaml", "paced.schema.json"}) {
    fs::copy_file(fs::path(TEST_PLUGINS "/backends") / name, folder / name);
  }
  const auto from_folder = [&](std::string yaml) {
    return yaml.replace(yaml.find(TEST_PLUGINS), sizeof(TEST_PLUGINS) - 1, path("plugins"));
  };
  start(from_folder(with(paced("x"))));

  // What an installation does: a new file of the same name, and its manifest.
  const fs::path library = folder / "paced.so";
  const fs::path manifest = folder / "paced.yaml";
  fs::copy_file(library, path("old.so"));
  fs::copy_file(library, path("new.so"));
  std::ofstream(path("new.so"), std::ios::app) << "another build";
  const std::string original = text_of(manifest);
  std::string changed = original;
  const std::string digest = sha256_of(library);
  changed.replace(changed.find(digest), digest.size(), sha256_of(path("new.so")));
  fs::rename(path("new.so"), library);
  std::ofstream(manifest) << changed;

  const std::string told = reload(from_folder(with(paced("x"))));
  EXPECT_NE(told.find("deploy.yaml:"), std::string::npos) << told;
  EXPECT_NE(told.find("backends.a: "), std::string::npos) << told;
  EXPECT_NE(told.find("start a new process (a rolling restart loses no call)"), std::string::npos)
      << told;
  EXPECT_EQ(generation_of(client().chat("m", "1")), "1");
  EXPECT_EQ(lived("create x"), 1);

  fs::rename(path("old.so"), library);
  std::ofstream(manifest) << original;
  EXPECT_EQ(reload(from_folder(with(paced("y")))), "");
  EXPECT_NE(client().chat("m", "1").find("y0 "), std::string::npos);
}

TEST_F(Reload, a_backend_that_loads_for_long_holds_up_neither_calls_nor_a_stop) {
  const std::string load = path("life.load");
  const std::string hold = path("life.hold");
  std::ofstream(load) << "";
  std::ofstream(hold) << "";
  start(with(paced("x"), "limits: {drain_ms: 500}\n"));
  const HttpClient http = client();
  auto held = std::async(std::launch::async, [&] { return http.chat("m", "hold"); });
  wait_for("the call", [this] { return metric("backplane_live_calls") == 1; });
  auto told =
      std::async(std::launch::async, [this] { return reload(with(paced("y", "loads: true"))); });
  wait_for("the load", [this] { return lived("load y") == 1; });
  EXPECT_EQ(generation_of(http.chat("m", "1")), "1");

  auto stopped = std::async(std::launch::async, [this] {
    bp_runtime_stop(runtime_);
    runtime_ = nullptr;
  });
  EXPECT_NE(held.get().find("SHUTTING_DOWN"), std::string::npos);
  EXPECT_EQ(http.get("/ready"), "");  // it listens no more
  EXPECT_EQ(lived("start y"), 0);
  std::filesystem::remove(load);
  EXPECT_NE(told.get().find("stopping"), std::string::npos);
  stopped.get();
  EXPECT_EQ(lived("destroy x"), 1);
  EXPECT_EQ(lived("destroy y"), 1);
}

// The client has gone, its call too, and the deployment that asked: the payment has not, so that
// what it holds in the end is released.
TEST_F(Reload, a_payment_may_answer_after_its_deployment_has_gone) {
  start(with(paced("x"),
             "payments: {p: {uses: asked, settings: {life: \"" + path("life") + "\"}}}\n"));
  const int client_end = client().connect();
  ASSERT_TRUE(HttpClient::write(client_end, HttpClient::chat_request("m", "1", false)));
  wait_for("the question", [this] { return lived("asked") == 1; });
  close(client_end);
  wait_for("the end of the call", [this] { return metric("backplane_live_calls") == 0; });
  ASSERT_EQ(reload(with(paced("y"))), "");
  wait_for("the end of the deployment", [this] { return lived("destroy x") == 1; });
  ASSERT_EQ(reload(with(paced("z"))), "");
  EXPECT_EQ(lived("stop payment"), 0);
  std::ofstream(path("life.answer")) << "";
  wait_for("the end of the payment", [this] { return lived("destroy payment") == 1; });
  std::vector<std::string> lines = life();
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](const std::string& line) {
                               return line.find("payment") == std::string::npos &&
                                      line.rfind("release", 0) != 0;
                             }),
              lines.end());
  EXPECT_EQ(lines, (std::vector<std::string>{"drain payment", "release 7", "stop payment",
                                             "destroy payment"}));
}

// What a backend still says of a call that was left behind comes when the call's generation and
// its metrics have gone; the backend and its place have not.
TEST_F(Reload, a_call_left_behind_may_end_after_its_generation) {
  int go[2], done[2];
  ASSERT_EQ(pipe(go), 0);
  ASSERT_EQ(pipe(done), 0);
  const auto emit = [&](char what) {
    return ::write(go[1], &what, 1) == 1 && read(done[0], &what, 1) == 1;
  };
  start(with("{uses: stubborn, timeout_ms: 100, settings: {go: " + std::to_string(go[0]) +
             ", done: " + std::to_string(done[1]) + "}}"));
  EXPECT_NE(client().chat("m", "1").find("504"), std::string::npos);
  wait_for("the call is left behind", [&] { return metric("backplane_leaked_calls_total") == 1; });
  ASSERT_EQ(reload(with(paced("y"))), "");
  ASSERT_EQ(reload(with(paced("z"))), "");
  wait_for("the end of y", [&] { return lived("destroy y") == 1; });
  EXPECT_EQ(metric("backplane_backend_live_calls{backend=\"a\"}"), 1);
  EXPECT_TRUE(emit('t'));
  EXPECT_TRUE(emit('e'));
  wait_for("its end is taken",
           [&] { return metric("backplane_backend_live_calls{backend=\"a\"}") == 0; });
  EXPECT_NE(client().chat("m", "1").find("z0 "), std::string::npos);
  for (const int end : {go[0], go[1], done[0], done[1]}) close(end);
}

}  // namespace
}  // namespace backplane::test
