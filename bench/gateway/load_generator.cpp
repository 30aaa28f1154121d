// SPDX-License-Identifier: Apache-2.0
// Keeps a number of connections busy for a while and prints what it saw as one line of JSON.
//   load_generator PORT CONNECTIONS SECONDS BODY_FILE [HEADER...]
// Closed loop: each connection sends its next request when the last one is answered.
#include "client.hpp"
#include "percentile.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

namespace backplane::bench {
namespace {

constexpr std::int64_t kGraceNs = 10'000'000'000;  // for the answers that are under way at the end
constexpr int kWaitMs = 100;

std::string request_of(const char* body_file, const std::string& headers) {
  std::ifstream file(body_file);
  if (!file) fail(body_file);
  std::stringstream body;
  body << file.rdbuf();
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
         "Authorization: Bearer sk-0123456789abcdef\r\nContent-Type: application/json\r\n" +
         headers + "Content-Length: " + std::to_string(body.str().size()) + "\r\n\r\n" + body.str();
}

class Load {
 public:
  Load(std::uint16_t port, std::size_t connections, std::string_view request) {
    for (std::size_t i = 0; i < connections; ++i) {
      clients_.push_back(std::make_unique<Client>(port, request, record_));
      epoll_.watch(clients_.back()->socket(), clients_.back().get());
    }
  }

  // Returns how long it took.
  std::int64_t run(std::int64_t duration_ns) {
    const std::int64_t begun_ns = now_ns();
    end_ns_ = begun_ns + duration_ns;
    busy_ = clients_.size();
    for (const auto& client : clients_) client->start();
    while (busy_ > 0 && now_ns() < end_ns_ + kGraceNs) {
      for (void* context : epoll_.wait(kWaitMs)) serve(*static_cast<Client*>(context));
    }
    record_.errors += busy_;
    return now_ns() - begun_ns;
  }

  Record& record() { return record_; }

 private:
  void serve(Client& client) {
    if (client.idle() || client.broken()) return;
    client.on_ready();
    if (client.idle() && now_ns() < end_ns_) return client.start();
    if (client.idle() || client.broken()) --busy_;
  }

  Record record_;
  Epoll epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t busy_ = 0;
  std::int64_t end_ns_ = 0;
};

void print(Record& record, std::int64_t duration_ns) {
  std::printf("{\"requests\":%zu,\"errors\":%llu,\"seconds\":%.6f,\"p50_us\":%.1f,\"p99_us\":%.1f,",
              record.latencies_ns.size(), static_cast<unsigned long long>(record.errors),
              static_cast<double>(duration_ns) / 1e9, percentile_us(record.latencies_ns, 0.5),
              percentile_us(record.latencies_ns, 0.99));
  std::printf("\"frames\":%llu,\"first_frame_p50_us\":%.1f,\"first_frame_p99_us\":%.1f}\n",
              static_cast<unsigned long long>(record.frames),
              percentile_us(record.first_frames_ns, 0.5),
              percentile_us(record.first_frames_ns, 0.99));
}

}  // namespace
}  // namespace backplane::bench

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: load_generator PORT CONNECTIONS SECONDS BODY_FILE [HEADER...]\n");
    return 2;
  }
  std::string headers;
  for (int i = 5; i < count; ++i) headers += std::string(arguments[i]) + "\r\n";
  const std::string request = backplane::bench::request_of(arguments[4], headers);
  backplane::bench::Load load(static_cast<std::uint16_t>(std::atoi(arguments[1])),
                              std::strtoull(arguments[2], nullptr, 10), request);
  const double seconds = std::strtod(arguments[3], nullptr);
  const std::int64_t duration_ns = load.run(static_cast<std::int64_t>(seconds * 1e9));
  backplane::bench::print(load.record(), duration_ns);
}
