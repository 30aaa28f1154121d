// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/stream.hpp"

#include <linux/sockios.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>
#include <cstring>

namespace backplane {

namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;
constexpr std::size_t kPiecesPerCall = 64;

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL; a library must not raise SIGPIPE.
int bio_write(BIO* bio, const char* data, int size) {
  auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const iovec piece{const_cast<char*>(data), static_cast<std::size_t>(size)};
  const IoResult result = stream.write_socket({&piece, 1});
  if (result.bytes > 0) return static_cast<int>(result.bytes);
  if (result.status == IoStatus::kBlocked) BIO_set_retry_write(bio);
  return -1;
}

int bio_read(BIO* bio, char* target, int size) {
  auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const IoResult result = stream.read_socket(target, static_cast<std::size_t>(size));
  if (result.status == IoStatus::kDone) return static_cast<int>(result.bytes);
  if (result.status == IoStatus::kEnd) {
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return 0;
  }
  if (result.status == IoStatus::kBlocked) BIO_set_retry_read(bio);
  return -1;
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

BIO_METHOD* make_bio_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "backplane stream");
  if (method == nullptr) return nullptr;
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

const BIO_METHOD* bio_method() {
  struct Method {
    BIO_METHOD* value = make_bio_method();
    ~Method() { BIO_meth_free(value); }
  };
  static const Method method;
  return method.value;
}

[[maybe_unused]] std::size_t total_of(std::span<const iovec> pieces) {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

// Where a write that has moved `moved` bytes goes on.
class Cursor {
 public:
  explicit Cursor(std::span<const iovec> pieces) : pieces_(pieces) { skip_empty(); }
  bool done() const { return pieces_.empty(); }
  iovec front() const {
    return {static_cast<char*>(pieces_[0].iov_base) + offset_, pieces_[0].iov_len - offset_};
  }
  bool has_one_piece() const { return pieces_.size() == 1; }
  void advance(std::size_t bytes) {
    offset_ += bytes;
    while (!pieces_.empty() && offset_ >= pieces_[0].iov_len) {
      offset_ -= pieces_[0].iov_len;
      pieces_ = pieces_.subspan(1);
    }
  }
  std::size_t copy(char* target, std::size_t size) const {
    Cursor rest = *this;
    std::size_t copied = 0;
    while (copied < size && !rest.done()) {
      const iovec piece = rest.front();
      const std::size_t part = std::min(piece.iov_len, size - copied);
      std::memcpy(target + copied, piece.iov_base, part);
      copied += part;
      rest.advance(part);
    }
    return copied;
  }

 private:
  void skip_empty() { advance(0); }
  std::span<const iovec> pieces_;
  std::size_t offset_ = 0;
};

}  // namespace

bool Stream::start_tls(TlsSession session) {
  BIO* bio = session && bio_method() != nullptr ? BIO_new(bio_method()) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(session.get(), bio, bio);
  tls_ = std::move(session);
  return true;
}

void Stream::reopen(int descriptor) {
  close();
  tls_.reset();
  descriptor_ = descriptor;
  drained_ = hangup_ = false;
}

void Stream::note_readable(bool hangup) {
  drained_ = false;
  hangup_ = hangup_ || hangup;
}

IoResult Stream::handshake() {
  ERR_clear_error();
  const int answer = SSL_do_handshake(tls_.get());
  return answer == 1 ? IoResult{IoStatus::kDone} : tls_result(answer, 0);
}

IoResult Stream::read(char* target, std::size_t size) {
  if (!tls_) return read_socket(target, size);
  std::size_t bytes = 0;
  ERR_clear_error();
  const int answer = SSL_read_ex(tls_.get(), target, size, &bytes);
  return answer == 1 ? IoResult{IoStatus::kDone, bytes} : tls_result(answer, 0);
}

IoResult Stream::write(std::span<const iovec> pieces) {
  return tls_ ? write_tls(pieces) : write_socket(pieces);
}

void Stream::offer_protocols(const std::string& protocols) {
  backplane::offer_protocols(*tls_, protocols);
}

std::size_t Stream::queued_bytes() const {
  int bytes = 0;
  return ioctl(descriptor_, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes)
                                                                : 0;
}

bool Stream::peer_has_ended() const {
  char byte = 0;
  return recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void Stream::shutdown_write() {
  if (!is_open()) return;
  if (tls_ && SSL_is_init_finished(tls_.get())) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }
  ::shutdown(descriptor_, SHUT_WR);
}

void Stream::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void Stream::reset() {
  if (!is_open()) return;
  const linger cut{1, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut));
  close();
}

IoResult Stream::read_socket(char* target, std::size_t size) {
  if (!is_open()) return {IoStatus::kFailed};
  if (drained_) return {IoStatus::kBlocked};
  for (;;) {
    const ssize_t count = recv(descriptor_, target, size, 0);
    if (count > 0) {
      // A short read has emptied the socket; with a hang-up the end itself is still to be read.
      drained_ = static_cast<std::size_t>(count) < size && !hangup_;
      return {IoStatus::kDone, static_cast<std::size_t>(count)};
    }
    if (count == 0) return {IoStatus::kEnd};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return {IoStatus::kFailed};
    drained_ = true;
    return {IoStatus::kBlocked};
  }
}

IoResult Stream::peek(char* target, std::size_t size) {
  for (;;) {
    const ssize_t count = recv(descriptor_, target, size, MSG_PEEK | MSG_DONTWAIT);
    if (count > 0) return {IoStatus::kDone, static_cast<std::size_t>(count)};
    if (count == 0) return {IoStatus::kEnd};
    if (errno == EINTR) continue;
    return {errno == EAGAIN ? IoStatus::kBlocked : IoStatus::kFailed};
  }
}

IoResult Stream::write_socket(std::span<const iovec> pieces) {
  if (!is_open()) return {IoStatus::kFailed};
  IoResult result{IoStatus::kDone};
  for (Cursor cursor(pieces); !cursor.done();) {
    iovec parts[kPiecesPerCall];
    Cursor rest = cursor;
    std::size_t used = 0;
    std::size_t offered = 0;
    for (; used < kPiecesPerCall && !rest.done(); ++used) {
      parts[used] = rest.front();
      offered += parts[used].iov_len;
      rest.advance(parts[used].iov_len);
    }
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = used;
    const ssize_t count = used == 1
                              ? send(descriptor_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
                              : sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      result.status = errno == EAGAIN ? IoStatus::kBlocked : IoStatus::kFailed;
      return result;
    }
    result.bytes += static_cast<std::size_t>(count);
    cursor.advance(static_cast<std::size_t>(count));
    if (static_cast<std::size_t>(count) < offered) {
      result.status = IoStatus::kBlocked;
      return result;
    }
  }
  return result;
}

IoResult Stream::tls_result(int answer, std::size_t bytes) {
  switch (SSL_get_error(tls_.get(), answer)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {IoStatus::kBlocked, bytes};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStatus::kEnd, bytes};
    case SSL_ERROR_SSL: {
      const bool truncated =
          ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      ERR_clear_error();
      return {truncated ? IoStatus::kTruncated : IoStatus::kFailed, bytes};
    }
    default:
      ERR_clear_error();
      return {IoStatus::kFailed, bytes};
  }
}

// A record that could not be sent is offered again with at least the same bytes in front, as
// SSL_write(3) asks: pieces are joined up to one record, always from the first unsent byte.
IoResult Stream::write_tls(std::span<const iovec> pieces) {
  char joined[kRecordBytes];
  IoResult result{IoStatus::kDone};
  for (Cursor cursor(pieces); !cursor.done();) {
    iovec part = cursor.front();
    if (!cursor.has_one_piece() && part.iov_len < kRecordBytes) {
      part = {joined, cursor.copy(joined, kRecordBytes)};
    }
    std::size_t bytes = 0;
    ERR_clear_error();
    const int answer = SSL_write_ex(tls_.get(), part.iov_base, part.iov_len, &bytes);
    if (answer != 1) return tls_result(answer, result.bytes);
    result.bytes += bytes;
    cursor.advance(bytes);
  }
  assert(result.bytes == total_of(pieces));
  return result;
}

}  // namespace backplane
