// SPDX-License-Identifier: Apache-2.0
#include "runtime/admin/connection.hpp"

#include "runtime/admin/endpoints.hpp"

#include <backplane/plugin.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

namespace backplane {

namespace http = boost::beast::http;

struct AdminConnection::Parser {
  Parser() {
    message.header_limit(kAdminHeadBytesMax);
    message.body_limit(kAdminBodyBytesMax);
    message.eager(true);
  }
  http::request_parser<http::string_body> message;
};

// Out of memory, for all that is foreseen: nothing can be said any more.
template <class Body>
void AdminConnection::guarded(void* context, Body&& body) noexcept {
  auto& self = *static_cast<AdminConnection*>(context);
  try {
    body(self);
  } catch (...) {
    if (!self.closed_) self.server_.net().abort(self.connection_);
  }
}

const bp_connection_handler AdminConnection::kHandler = {
    sizeof(bp_connection_handler),
    0,
    [](void* self, bp_str bytes) {
      guarded(self, [&](AdminConnection& connection) { connection.on_data(view(bytes)); });
    },
    [](void* self) { guarded(self, [](AdminConnection& connection) { connection.on_end(); }); },
    [](void*) {},
    [](void* self) { guarded(self, [](AdminConnection& connection) { connection.close(); }); },
    [](void* self) { static_cast<AdminConnection*>(self)->on_closed(); }};

void AdminConnection::open(AdminServer& server, bp_connection* connection) {
  std::shared_ptr<AdminConnection> opened(new AdminConnection(server, connection));
  opened->self_ = opened;
  server.net().set_handler(connection, &kHandler, opened.get());
  server.net().set_timeout(connection, kAdminRequestTimeoutMs);
}

AdminConnection::AdminConnection(AdminServer& server, bp_connection* connection)
    : server_(server),
      connection_(connection),
      loop_(server.net().loop(connection)),
      parser_(std::make_unique<Parser>()) {}

AdminConnection::~AdminConnection() = default;

void AdminConnection::on_closed() {
  closed_ = true;
  if (timer_ != 0) server_.loops().cancel(loop_, std::exchange(timer_, 0));
  const std::shared_ptr<AdminConnection> last = std::move(self_);
}

void AdminConnection::on_data(std::string_view bytes) {
  input_ += bytes;
  if (!busy_) return read_request();
  server_.net().pause(connection_);
}

void AdminConnection::on_end() {
  ended_ = true;
  if (!busy_) close();
}

void AdminConnection::close() {
  server_.net().close(connection_);
}

void AdminConnection::read_request() {
  if (input_.empty()) return;
  if (!std::exchange(reading_, true)) {
    server_.net().set_timeout(connection_, kAdminRequestTimeoutMs);
  }
  boost::system::error_code failure;
  const std::size_t taken = parser_->message.put(boost::asio::buffer(input_), failure);
  input_.erase(0, taken);
  if (failure == http::error::need_more) return;
  if (failure) {
    const bool large = failure == http::error::body_limit || failure == http::error::header_limit;
    keep_alive_ = false;
    return answer(large ? admin_error(413, "TOO_LARGE", "the request is too large")
                        : admin_error(400, "BAD_REQUEST", "this is no request of HTTP/1.1"));
  }
  if (parser_->message.is_done()) serve();
}

void AdminConnection::serve() {
  const auto& message = parser_->message.get();
  const auto header = message.find(http::field::authorization);
  AdminRequest request;
  request.method = {message.method_string().data(), message.method_string().size()};
  request.target = {message.target().data(), message.target().size()};
  request.body = message.body();
  request.authorized =
      header != message.end() &&
      server_.token().is_in(std::string_view(header->value().data(), header->value().size()));
  keep_alive_ = message.keep_alive();
  busy_ = true;
  server_.net().set_timeout(connection_, 0);
  if (!request.authorized && !is_public(request.target)) return refuse_token();
  serve_admin(server_.operations(), request,
              [loops = &server_.loops(), loop = loop_, weak = weak_from_this()](AdminAnswer told) {
                struct Arrival {
                  std::weak_ptr<AdminConnection> to;
                  AdminAnswer answer;
                };
                loops->post(
                    loop,
                    [](void* argument) {
                      const std::unique_ptr<Arrival> arrival(static_cast<Arrival*>(argument));
                      const auto to = arrival->to.lock();
                      if (to == nullptr || to->closed_) return;
                      guarded(to.get(), [&](AdminConnection& connection) {
                        connection.answer(arrival->answer);
                      });
                    },
                    new Arrival{weak, std::move(told)});
              });
}

// Held back, so that guessing is slow.
void AdminConnection::refuse_token() {
  keep_alive_ = false;
  timer_ = server_.loops().post_after(
      loop_, kWrongTokenDelayMs,
      [](void* self) {
        guarded(self, [](AdminConnection& connection) {
          connection.timer_ = 0;
          connection.answer(
              admin_error(401, "UNAUTHORIZED", "send the token as authorization: Bearer TOKEN"));
        });
      },
      this);
}

void AdminConnection::answer(const AdminAnswer& answer) {
  busy_ = false;
  reading_ = false;
  const bool closing = !keep_alive_ || ended_ || server_.draining();
  const auto reason = http::obsolete_reason(http::int_to_status(answer.status));
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + ' ' +
                     std::string(reason.data(), reason.size()) +
                     "\r\ncontent-type: " + std::string(answer.media_type) +
                     "\r\ncontent-length: " + std::to_string(answer.body.size()) +
                     "\r\ncache-control: no-store" +
                     (answer.status == 401 ? "\r\nwww-authenticate: Bearer" : "") +
                     "\r\nconnection: " + (closing ? "close" : "keep-alive") + "\r\n\r\n";
  const bp_str pieces[] = {str(head), str(answer.body)};
  const std::uint32_t flow = server_.net().write(connection_, pieces, 2);
  if (flow == BP_FLOW_STOP) return;
  server_.net().set_timeout(connection_, closing ? kAdminWriteTimeoutMs : kAdminIdleTimeoutMs);
  if (closing) return close();
  parser_ = std::make_unique<Parser>();
  server_.net().resume(connection_);
  read_request();
}

}  // namespace backplane
