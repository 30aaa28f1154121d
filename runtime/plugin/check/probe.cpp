// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/probe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

namespace backplane {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordBytesMax = 2048;  // below PIPE_BUF: written whole
constexpr char kStep = 'S';
constexpr char kFail = 'F';
constexpr char kSkip = 'K';
constexpr char kDone = 'D';

// The child's side: every word goes to the parent at once, so that a crash loses none.
class PipeProbe final : public Probe {
 public:
  PipeProbe(int pipe, std::chrono::milliseconds timeout) : pipe_(pipe), timeout_(timeout) {}

  void step(const std::string& name) override { send(kStep, name); }
  void fail(const std::string& reason) override { settle(kFail, reason); }
  void skip(const std::string& reason) override { settle(kSkip, reason); }
  bool settled() const override { return settled_; }
  std::chrono::milliseconds patience() const override { return timeout_ / 2; }
  void done() { send(kDone, {}); }

 private:
  void settle(char kind, const std::string& reason) {
    if (!settled_.exchange(true)) send(kind, reason);
  }
  void send(char kind, const std::string& text) {
    std::string record = kind + text.substr(0, kRecordBytesMax);
    std::replace(record.begin(), record.end(), '\n', ' ');
    record += '\n';
    const std::lock_guard<std::mutex> lock(mutex_);
    if (::write(pipe_, record.data(), record.size()) < 0) ::_exit(1);
  }

  const int pipe_;
  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::atomic<bool> settled_{false};
};

[[noreturn]] void run_child(int pipe, std::chrono::milliseconds timeout,
                            const std::function<void(Probe&)>& body) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM}) {
    std::signal(signal, SIG_DFL);
  }
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  PipeProbe probe(pipe, timeout);
  try {
    body(probe);
  } catch (const std::exception& thrown) {
    probe.fail(std::string("let an exception cross the ABI (") + thrown.what() +
               "); make its functions noexcept and return an error");
  } catch (...) {
    probe.fail("let an exception cross the ABI; make its functions noexcept and return an error");
  }
  probe.done();
  ::_exit(0);
}

// The parent's side: the last step, and what was said first.
class Listener {
 public:
  Listener(int pipe, Clock::time_point deadline) : pipe_(pipe), deadline_(deadline) {}

  // False: the deadline has passed.
  bool listen() {
    while (!done_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
      pollfd poll{pipe_, POLLIN, 0};
      const int ready = ::poll(&poll, 1, static_cast<int>(std::max<long>(0, left.count())));
      if (ready == 0) return false;
      if (ready < 0 && errno != EINTR) return true;
      if (ready > 0 && !take()) return true;
    }
    return true;
  }
  bool done() const { return done_; }
  const Finding& finding() const { return finding_; }
  std::string step() const { return step_.empty() ? "" : " in " + step_; }

 private:
  bool take() {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::read(pipe_, bytes.data(), bytes.size());
    if (got <= 0) return got < 0 && errno == EINTR;
    for (ssize_t i = 0; i < got; ++i) {
      const char byte = bytes[static_cast<std::size_t>(i)];
      if (byte == '\n') {
        record();
        line_.clear();
      } else if (line_.size() <= kRecordBytesMax) {
        line_ += byte;
      }
    }
    return true;
  }
  void record() {
    if (line_.empty()) return;
    const std::string text = line_.substr(1);
    if (line_[0] == kStep) step_ = text;
    if (line_[0] == kFail) finding_ = {Outcome::kFailed, text};
    if (line_[0] == kSkip) finding_ = {Outcome::kSkipped, text};
    if (line_[0] == kDone) done_ = true;
  }

  const int pipe_;
  const Clock::time_point deadline_;
  std::string line_;
  std::string step_;
  Finding finding_;
  bool done_ = false;
};

std::string seconds_of(std::chrono::milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  if (time.count() % 1000 != 0) {
    text += "." + std::to_string(1000 + time.count() % 1000).substr(1, 1);
  }
  return text + " s";
}

Finding died(const Listener& listener, int status) {
  if (WIFSIGNALED(status)) {
    const char* name = sigabbrev_np(WTERMSIG(status));
    return {Outcome::kFailed, "crashed" + listener.step() + " (SIG" +
                                  std::string(name == nullptr ? "?" : name) + ")"};
  }
  return {Outcome::kFailed, "ended the process" + listener.step() + " (exit code " +
                                std::to_string(WEXITSTATUS(status)) +
                                "); a plugin returns errors and never exits"};
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Finding run_forked(std::chrono::milliseconds timeout, const std::function<void(Probe&)>& body) {
  int pipe[2] = {-1, -1};
  if (::pipe2(pipe, O_CLOEXEC) != 0) return {Outcome::kFailed, "the check cannot make a pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[0]);
    run_child(pipe[1], timeout, body);
  }
  ::close(pipe[1]);
  if (child < 0) {
    ::close(pipe[0]);
    return {Outcome::kFailed, "the check cannot fork"};
  }
  Listener listener(pipe[0], Clock::now() + timeout);
  const bool in_time = listener.listen();
  if (!in_time || listener.done()) ::kill(child, SIGKILL);
  const int status = wait_for(child);
  ::close(pipe[0]);
  if (listener.done() || listener.finding().outcome != Outcome::kPassed) return listener.finding();
  if (in_time) return died(listener, status);
  return {Outcome::kFailed, "hung" + listener.step() + ": no answer within " + seconds_of(timeout)};
}

}  // namespace backplane
