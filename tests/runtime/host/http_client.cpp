// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/host/http_client.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace backplane::test {

int HttpClient::connect() const {
  const bool is_unix = address_.starts_with("unix:");
  const int descriptor = socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  sockaddr_in port{};
  port.sin_family = AF_INET;
  const sockaddr* to = reinterpret_cast<const sockaddr*>(&port);
  socklen_t size = sizeof(port);
  if (is_unix) {
    std::strncpy(path.sun_path, address_.c_str() + 5, sizeof(path.sun_path) - 1);
    to = reinterpret_cast<const sockaddr*>(&path);
    size = sizeof(path);
  } else {
    const std::size_t colon = address_.rfind(':');
    port.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address_.substr(colon + 1))));
    port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  if (::connect(descriptor, to, size) == 0) return descriptor;
  close(descriptor);
  return -1;
}

bool HttpClient::write(int descriptor, const std::string& text) {
  return ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

std::string HttpClient::read_through(int descriptor, const std::string& mark) {
  std::string text;
  char buffer[16384];
  while (mark.empty() || text.find(mark) == std::string::npos) {
    const ssize_t got = recv(descriptor, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

std::string HttpClient::talk(const std::string& request) const {
  const int descriptor = connect();
  if (descriptor < 0) return {};
  std::string answer;
  if (write(descriptor, request)) answer = read_through(descriptor, {});
  close(descriptor);
  return answer;
}

std::string HttpClient::get(const std::string& path, const std::string& headers) const {
  return talk("GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" + headers +
              "\r\n");
}

std::string HttpClient::send(const std::string& method, const std::string& path,
                             const std::string& body, const std::string& headers) const {
  return talk(method + ' ' + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n" + headers +
              "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
}

std::string HttpClient::chat_request(const std::string& model, const std::string& content,
                                     bool keep_alive) {
  const std::string body = R"({"model":")" + model + R"(","stream":true,)" +
                           R"("messages":[{"role":"user","content":")" + content + "\"}]}";
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: test\r\n" +
         std::string(keep_alive ? "" : "Connection: close\r\n") +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string HttpClient::chat(const std::string& model, const std::string& content) const {
  return talk(chat_request(model, content, false));
}

}  // namespace backplane::test
