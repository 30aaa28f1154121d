// SPDX-License-Identifier: Apache-2.0
// The inside of a runtime: what serves now, what has served, and the thread that changes it.
#pragma once

#include "runtime/admin/server.hpp"
#include "runtime/host/control_thread.hpp"
#include "runtime/host/reload_metrics.hpp"
#include "runtime/host/retirement.hpp"
#include "runtime/host/running_deployment.hpp"
#include "runtime/host/runtime.hpp"

#include <functional>
#include <list>
#include <memory>
#include <mutex>

namespace backplane {

class Runtime::Parts final : public AdminOperations {
 public:
  explicit Parts(config::Deployment deployment);
  ~Parts() override;

  // [control], before anything else and after everything else.
  Status start(StartOptions options);
  void stop(std::int64_t drain_ms);
  std::int64_t drain_ms() const;
  // A plugin was left alone and may still use what it was given: none of this is to be freed.
  bool left_alone() const { return left_alone_; }

  // [any-thread] Done by the control thread, which calls `told`; false: the runtime stops. With
  // no deployment the file is read again.
  bool post_reload(std::optional<config::Deployment> deployment,
                   std::function<void(ReloadOutcome)> told);
  // [any-thread but the loops and the control thread]
  Status send_sockets(int unix_fd);

  std::vector<std::string> addresses() const;
  std::vector<std::string> models() const;

  // AdminOperations, in operations.cpp.
  bool ready() const override;
  std::string metrics() const override;
  std::string status() const override;
  std::string plugins() const override;
  std::string routes() const override;
  std::string log() const override;
  bool set_log_level(std::string_view level) override;
  void list_calls(AdminTell tell) override;
  void cancel_calls(std::string id, AdminTell tell) override;
  void reload(AdminTell tell) override;
  void drain() override;
  std::string clear_cache() override;

 private:
  Status start_parts(StartOptions options);
  Status start_admin(const config::Deployment& deployment, std::unique_ptr<AdminServer>& out);
  bool tidy();
  void describe_routes();
  bool is_stopping();
  void begin_to_stop(std::int64_t drain_ms);
  bool has_connections() const;
  void end_calls(std::int64_t drain_ms);
  bool wait_until(const std::function<bool()>& done, std::int64_t patience_ms) const;

  // The rest is in reload.cpp, by the control thread.
  ReloadOutcome reload_file();
  ReloadOutcome reload_deployment(config::Deployment deployment);
  Status start_next(RunningDeployment& next, std::unique_ptr<AdminServer>& admin);
  void serve_next(std::unique_ptr<RunningDeployment> next, std::unique_ptr<AdminServer> admin);
  std::vector<std::string> wants_restart(const config::Deployment& next) const;
  ReloadOutcome fail(ReloadOutcome outcome);
  void note(const ReloadOutcome& outcome);

  const std::string file_;
  const std::int64_t loop_count_;  // as the first deployment had it
  const config::LogFormat log_format_;
  const std::int64_t started_ns_;
  std::int64_t described_ns_;  // of the control thread
  HostServices host_;
  Retirement retirement_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<ReloadMetrics> reload_metrics_;

  // Held while another deployment begins to serve, and while the one that serves is told to end.
  std::mutex serving_mutex_;
  bool stopping_ = false;  // guarded by serving_mutex_

  // Guards what the control thread replaces and others read. Never held while a plugin is changed.
  mutable std::mutex mutex_;
  std::unique_ptr<RunningDeployment> current_;
  std::unique_ptr<AdminServer> admin_;  // null: none
  ReloadOutcome last_reload_;
  std::int64_t last_reload_unix_s_ = 0;  // 0: never
  std::int64_t loaded_unix_s_ = 0;       // when the current deployment began to serve

  struct DrainingAdmin {
    std::unique_ptr<AdminServer> server;
    std::int64_t deadline_ns;
  };
  std::list<DrainingAdmin> draining_admins_;
  bool stopped_ = false;
  bool left_alone_ = false;
  std::unique_ptr<ControlThread> control_;
};

}  // namespace backplane
