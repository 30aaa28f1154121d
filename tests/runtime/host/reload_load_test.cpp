// SPDX-License-Identifier: Apache-2.0
// A thousand reloads under load: no call is lost, no stream is cut, nothing grows.
#include "tests/runtime/host/deployment_folder.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

namespace backplane::test {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr int kReloads = 150;
#elif defined(__SANITIZE_ADDRESS__)
constexpr int kReloads = 250;
#else
constexpr int kReloads = 1000;
#endif

// Where the answer is whole: every piece, in order, of one instance.
bool is_whole(const std::string& answer, int pieces) {
  if (answer.rfind("HTTP/1.1 200", 0) != 0 || answer.find("[DONE]") == std::string::npos) {
    return false;
  }
  const std::size_t first = answer.find("0 \"");
  if (first == std::string::npos || first == 0) return false;
  const char tag = answer[first - 1];
  std::size_t at = 0;
  for (int i = 0; i < pieces; ++i) {
    at = answer.find(std::string(1, tag) + std::to_string(i) + " \"", at);
    if (at == std::string::npos) return false;
  }
  return true;
}

// Clients that call until they are told to stop: some open a connection for each call, some keep
// theirs as long as the server does.
class Load {
 public:
  Load(const HttpClient& client, int opening, int keeping) : client_(client) {
    for (int i = 0; i < opening; ++i) threads_.emplace_back([this, i] { open_each(i); });
    for (int i = 0; i < keeping; ++i) threads_.emplace_back([this] { keep(); });
  }
  ~Load() { stop(); }
  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  int served() const { return served_; }
  std::string lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  static constexpr int kPieces = 5;

  void count(const std::string& answer, int pieces) {
    if (is_whole(answer, pieces)) {
      ++served_;
      return;
    }
    const std::lock_guard lock(mutex_);
    lost_ += "[" + answer + "]\n";
  }
  void open_each(int index) {
    for (int i = 0; !stopping_; ++i) {
      const int pieces = i % 20 == index ? 200 : kPieces;
      count(client_.chat("m", std::to_string(pieces)), pieces);
    }
  }
  void keep() {
    int descriptor = -1;
    while (!stopping_) {
      if (descriptor < 0) descriptor = client_.connect();
      HttpClient::write(descriptor, HttpClient::chat_request("m", std::to_string(kPieces), true));
      const std::string answer = HttpClient::read_through(descriptor, "\r\n0\r\n\r\n");
      count(answer, kPieces);
      if (answer.find("connection: close") == std::string::npos && !answer.empty()) continue;
      close(std::exchange(descriptor, -1));
    }
    if (descriptor >= 0) close(descriptor);
  }

  const HttpClient client_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> served_{0};
  mutable std::mutex mutex_;
  std::string lost_;
};

struct Usage {
  std::ptrdiff_t descriptors, threads, mapped_files, series;
  std::size_t bytes;
};

std::ptrdiff_t entries_of(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

// Libraries that stay behind; anonymous memory is counted in bytes.
std::ptrdiff_t mapped_files() {
  std::ifstream maps("/proc/self/maps");
  std::ptrdiff_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find('/') != std::string::npos;
  return count;
}

class ReloadUnderLoad : public DeploymentFolder {
 protected:
  // One of several: other backends, models, transports, and other settings of each.
  std::string variant(int i) const {
    const std::string tag(1, static_cast<char>('a' + i % 3));
    std::string rest = "backends:\n  first: " + paced(tag) + '\n';
    if (i % 4 == 1) rest += "  second: " + paced("z") + '\n';
    rest += "models:\n  m: {policy: " + std::string(i % 2 == 0 ? "ordered" : "weighted") +
            ", routes: [{backend: first}" + (i % 4 == 1 ? ", {backend: second}" : "") + "]}\n";
    if (i % 5 == 2) rest += "  n: {routes: [{backend: first}], price: {input: 1, output: 2}}\n";
    if (i % 6 == 3) rest += "payments: {free: {uses: free}}\n";
    std::string yaml = deployment(rest, i / 5 % 2 == 0 ? "" : "keep_alive_ms: 30000");
    if (i % 7 == 4) {
      yaml.insert(yaml.find("{http: ") + 1,
                  "other: {uses: http, settings: {listen: \"unix:" + path("other.sock") + "\"}}, ");
    }
    return yaml;
  }
  std::string faulty(int i) const {
    if (i % 3 == 0) return "transports: {\n";
    std::string yaml = variant(i);
    if (i % 3 == 1) return yaml + "limts: {}\n";
    const std::size_t life = yaml.find("life: ");
    return yaml.insert(life, "fails: true, ");
  }
  Usage usage() const {
    const std::string metrics = client().get("/metrics");
    return {entries_of("/proc/self/fd"), entries_of("/proc/self/task"), mapped_files(),
            std::count(metrics.begin(), metrics.end(), '\n'), mallinfo2().uordblks};
  }
  // Until what has been replaced is gone.
  void wait_until_tidy() const {
    wait_for("the end of all that was replaced", [this] {
      int alive = 0;
      for (const std::string& line : life()) {
        alive += line.rfind("create", 0) == 0 ? 1 : line.rfind("destroy", 0) == 0 ? -1 : 0;
      }
      return alive == 1;
    });
    std::filesystem::resize_file(path("life"), 0);
    std::ofstream(path("life")) << "create kept\n";
  }
  void reload_many(const Load& load, int from, int to) {
    for (int i = from; i < to; ++i) {
      if (i % 10 == 9) {
        ASSERT_NE(reload(faulty(i)), "");
      }
      ASSERT_EQ(reload(variant(i)), "");
      const int before = load.served();
      while (load.served() == before && load.lost().empty()) std::this_thread::yield();
      ASSERT_EQ(load.lost(), "") << "at reload " << i;
    }
    ASSERT_EQ(reload(variant(0)), "");
  }
};

TEST_F(ReloadUnderLoad, loses_no_call_and_grows_nothing) {
  start(variant(0));
  const HttpClient http = client();
  Load load(http, 2, 1);
  reload_many(load, 1, kReloads / 5);
  load.stop();
  wait_until_tidy();
  const Usage before = usage();

  Load more(http, 2, 1);
  reload_many(more, kReloads / 5, kReloads);
  more.stop();
  EXPECT_EQ(more.lost(), "");
  wait_until_tidy();
  wait_for("the last connections",
           [&] { return entries_of("/proc/self/fd") <= before.descriptors; });
  const Usage after = usage();
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_EQ(after.series, before.series);
  EXPECT_EQ(after.mapped_files, before.mapped_files);
  constexpr std::size_t kSlackBytes = 512 * 1024;
  EXPECT_LT(after.bytes, before.bytes + kSlackBytes);
  EXPECT_EQ(metric("backplane_calls_total{model=\"m\",outcome=\"ok\"}"),
            load.served() + more.served());
  EXPECT_EQ(metric("backplane_live_calls"), 0);
}

}  // namespace
}  // namespace backplane::test
