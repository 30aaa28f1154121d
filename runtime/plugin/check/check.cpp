// SPDX-License-Identifier: Apache-2.0
#include "runtime/plugin/check/check.hpp"

#include "runtime/plugin/check/schema.hpp"
#include "runtime/plugin/check/tests.hpp"
#include "runtime/plugin/command_table.hpp"
#include "runtime/plugin/descriptor.hpp"
#include "runtime/plugin/elf.hpp"
#include "runtime/plugin/file.hpp"
#include "runtime/plugin/library.hpp"
#include "runtime/plugin/preflight.hpp"

#include <backplane/payment.h>
#include <backplane/transport.h>

#include <optional>

namespace backplane {
namespace {

namespace fs = std::filesystem;

Finding finding_of(const Status& status) {
  return status ? Finding{} : Finding{Outcome::kFailed, status.error().message};
}

LifeTable life_of(PluginKind kind, const void* table);

// Runs the tests in order; a static failure ends the check, since nothing after it makes sense.
class Checker {
 public:
  Checker(const fs::path& file, const CheckOptions& options) : file_(file), options_(options) {
    report_.file = file.string();
  }

  CheckReport run() {
    if (check_elf_file() && check_manifest_file() && check_load()) {
      run_tests(life_tests());
      if (kind_ == PluginKind::kBackend) run_tests(backend_tests());
    }
    return std::move(report_);
  }

 private:
  bool wanted(std::string_view name) const {
    return options_.only.empty() || name.find(options_.only) != std::string_view::npos;
  }
  // What the later tests stand on is always run, and reported if it failed.
  bool note(const char* name, Finding finding) {
    const bool good = finding.outcome != Outcome::kFailed;
    if (!good || wanted(name)) report_.tests.push_back({name, std::move(finding)});
    return good;
  }

  bool check_elf_file() {
    const std::string name = file_.string();
    const Result<ElfReport> elf = read_elf(file_);
    if (!elf) return note("elf.format", finding_of(elf.error()));
    note("elf.format", {});
    const bool good = note("elf.entry", finding_of(check_elf(name, *elf)));
    note("elf.exports", finding_of(check_exports(name, *elf)));
    note("elf.runpath", finding_of(check_runpath(name, *elf)));
    return good;
  }

  bool check_manifest_file() {
    fs::path path = file_;
    path.replace_extension(".yaml");
    std::error_code failure;
    if (!fs::exists(path, failure)) {
      return note("manifest",
                  {Outcome::kFailed, path.string() + ": is missing; build the plugin with "
                                                     "bp_add_plugin, which writes it"});
    }
    Result<Manifest> manifest = read_manifest(path);
    if (!manifest) return note("manifest", finding_of(manifest.error()));
    manifest_ = *manifest;
    kind_ = manifest->kind;
    return note("manifest", finding_of(check_sha256(file_, *manifest)));
  }

  bool check_load() {
    const auto body = [this](Probe& probe) {
      CheckHost host;
      const Result<Subject> subject = load(probe, host);
      if (!subject) probe.fail(subject.error().message);
    };
    return note("load", run_forked(options_.timeout, body)) &&
           note("schema", run_check(&Checker::check_schema)) &&
           note("commands", run_check(&Checker::check_command_table));
  }

  Finding run_check(Status (Checker::*check)(Probe& probe) const) const {
    return run_forked(options_.timeout, [this, check](Probe& probe) {
      const Status status = (this->*check)(probe);
      if (!status) probe.fail(status.error().message);
    });
  }

  Result<Subject> load(Probe& probe, CheckHost& host) const {
    const std::string name = file_.string();
    probe.step("loading");
    const Result<const bp_plugin*> plugin = open_plugin(file_, manifest_->sha256, host.table());
    if (!plugin) return plugin.error();
    probe.step("get_interface");
    if (Status status = check_against(name, **plugin, *manifest_); !status) return status.error();
    if (Status status = check_table(name, **plugin, kind_); !status) return status.error();
    const std::string_view id = interface_of(kind_);
    const void* table = (*plugin)->get_interface({id.data(), id.size()});
    return Subject{name, kind_, *plugin, life_of(kind_, table), table, options_.settings};
  }

  Status check_schema(Probe& probe) const {
    CheckHost host;
    const Result<Subject> subject = load(probe, host);
    if (!subject) return subject.error();
    const std::string_view text(subject->plugin->schema.data, subject->plugin->schema.size);
    if (Status status = check_schema_text(text); !status) return status.error();
    const fs::path beside = file_.parent_path() / manifest_->schema;
    const Result<std::string> file = read_small_file(beside, kSchemaBytesMax);
    if (!file) return file.error();
    if (*file == text) return ok();
    return invalid_argument(beside.string() +
                            ": is not the schema inside the plugin; build both with bp_add_plugin");
  }

  Status check_command_table(Probe& probe) const {
    CheckHost host;
    const Result<Subject> subject = load(probe, host);
    if (!subject) return subject.error();
    probe.step("get_interface");
    return check_commands(subject->file, *subject->plugin, *manifest_);
  }

  void run_tests(std::span<const CheckTest> tests) {
    for (const CheckTest& test : tests) {
      if (!wanted(test.name)) continue;
      note(test.name, run_forked(options_.timeout, [&](Probe& probe) { run_one(probe, test); }));
    }
  }

  void run_one(Probe& probe, const CheckTest& test) const {
    CheckHost host;
    Result<Subject> subject = load(probe, host);
    if (!subject) return probe.fail(subject.error().message);
    const bp_str schema = subject->plugin->schema;
    const Result<CheckedSettings> made =
        complete_settings({schema.data, schema.size}, options_.settings);
    if (!made) return probe.fail(made.error().message);
    if (!made->missing.empty()) return probe.skip(made->missing);
    subject->settings = made->settings;
    test.run(probe, *subject);
  }

  const fs::path file_;
  const CheckOptions options_;
  CheckReport report_;
  std::optional<Manifest> manifest_;
  PluginKind kind_ = PluginKind::kBackend;
};

template <class T>
LifeTable life_of_table(const void* table) {
  const auto& from = *static_cast<const T*>(table);
  return {from.create, from.start, from.drain, from.stop, from.destroy, from.describe};
}

LifeTable life_of(PluginKind kind, const void* table) {
  switch (kind) {
    case PluginKind::kBackend:
      return life_of_table<bp_backend>(table);
    case PluginKind::kTransport:
      return life_of_table<bp_transport>(table);
    case PluginKind::kPayment:
      return life_of_table<bp_payment>(table);
  }
  return {};
}

}  // namespace

std::size_t CheckReport::count(Outcome outcome) const {
  std::size_t number = 0;
  for (const CheckedTest& test : tests) number += test.finding.outcome == outcome ? 1U : 0U;
  return number;
}

CheckReport check_plugin(const fs::path& file, const CheckOptions& options) {
  return Checker(file, options).run();
}

}  // namespace backplane
