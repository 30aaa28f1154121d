// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/instances.hpp"

#include <algorithm>
#include <backplane/plugin.hpp>

namespace backplane {
namespace {

std::string section_of(config::PluginKind kind) {
  return std::string(config::name_of(kind)) + 's';
}

PluginKind kind_of(config::PluginKind kind) {
  if (kind == config::PluginKind::kBackend) return PluginKind::kBackend;
  if (kind == config::PluginKind::kTransport) return PluginKind::kTransport;
  return PluginKind::kPayment;
}

std::string place_of(const config::PluginInstance& entry) {
  return config::format(entry.position) + ": " + section_of(entry.kind) + '.' + entry.name + ": ";
}

Error placed_at(const InstanceFacts& facts, Error error) {
  error.message = facts.place + error.message;
  return error;
}

}  // namespace

InstanceSecrets::InstanceSecrets(const config::Secrets& all, const std::string& path) {
  const std::string own = "secret:" + path + '.';
  for (const std::string& name : all.names()) {
    if (name.starts_with(own)) secrets_.put(name, *all.find(name));
  }
}

const std::string* InstanceSecrets::find(std::string_view reference) const {
  return secrets_.find(reference);
}

bool InstanceSecrets::operator==(const InstanceSecrets& other) const {
  const std::vector<std::string> names = secrets_.names();
  return names == other.secrets_.names() &&
         std::all_of(names.begin(), names.end(), [&](const std::string& name) {
           return *secrets_.find(name) == *other.secrets_.find(name);
         });
}

Result<InstancePlan> InstancePlan::make(const config::PluginInstance& entry,
                                        const config::Secrets& secrets,
                                        const PluginCatalog& catalog, std::uint64_t generation) {
  InstancePlan plan;
  InstanceFacts& facts = plan.facts;
  facts.section = section_of(entry.kind);
  facts.name = entry.name;
  facts.place = place_of(entry);
  const std::string uses = entry.range.empty() ? entry.plugin : entry.plugin + '@' + entry.range;
  const Result<const PluginInfo*> info = catalog.find(kind_of(entry.kind), uses);
  if (!info) return placed_at(facts, info.error());
  plan.info = *info;
  facts.plugin = entry.plugin;
  facts.version = plan.info->manifest.version;
  facts.file = plan.info->path.string();
  facts.sha256 = plan.info->manifest.sha256;
  facts.settings = entry.settings;
  facts.generation = generation;
  plan.secrets = std::make_unique<InstanceSecrets>(secrets, facts.section + '.' + facts.name);
  return plan;
}

template <class Table>
PluginInstance<Table>::PluginInstance(InstancePlan plan, SharedServices services)
    : facts_(std::move(plan.facts)), secrets_(std::move(plan.secrets)) {
  services.secrets = secrets_.get();
  host_ = std::make_unique<InstanceHost>(facts_.section + '.' + facts_.name, services);
}

template <class Table>
Result<std::unique_ptr<PluginInstance<Table>>> PluginInstance<Table>::create(
    InstancePlan plan, const LoadRules& rules, SharedServices services) {
  const PluginInfo& info = *plan.info;
  std::unique_ptr<PluginInstance> instance(new PluginInstance(std::move(plan), services));
  const auto plugin = PluginCatalog::load(info, instance->host_->table(), rules);
  if (!plugin) return placed_at(instance->facts_, plugin.error());
  instance->table_ =
      static_cast<const Table*>((*plugin)->get_interface(str(interface_of(info.manifest.kind))));
  const bp_instance_options options{sizeof(bp_instance_options), 0, str(instance->facts_.name),
                                    str(instance->facts_.settings)};
  bp_error error{};
  if (instance->table_->create(instance->host_->table(), &options, &instance->self_, &error) !=
      BP_CODE_OK) {
    instance->self_ = nullptr;
    return instance->placed(error);
  }
  return instance;
}

template <class Table>
bool PluginInstance<Table>::is_what(const InstancePlan& plan) const {
  const InstanceFacts& other = plan.facts;
  return facts_.section == other.section && facts_.name == other.name &&
         facts_.plugin == other.plugin && facts_.file == other.file &&
         facts_.sha256 == other.sha256 && facts_.settings == other.settings &&
         *secrets_ == *plan.secrets;
}

template <class Table>
PluginInstance<Table>::~PluginInstance() {
  if (left_alone_) {
    static_cast<void>(host_.release());
    static_cast<void>(secrets_.release());
    return;
  }
  stop();
  if (self_ != nullptr) table_->destroy(self_);
}

template <class Table>
Status PluginInstance<Table>::start() {
  bp_error error{};
  if (table_->start(self_, &error) != BP_CODE_OK) return placed(error);
  started_ = true;
  return ok();
}

template <class Table>
void PluginInstance<Table>::drain(std::int64_t deadline_ns) {
  if (started_ && !std::exchange(drained_, true)) table_->drain(self_, deadline_ns);
}

template <class Table>
void PluginInstance<Table>::stop() {
  if (std::exchange(started_, false) && !left_alone_) table_->stop(self_);
}

template <class Table>
Result<std::string> PluginInstance<Table>::describe() const {
  bp_error error{};
  bp_buffer out{};
  if (table_->describe(self_, &out, &error) != BP_CODE_OK) return placed(error);
  return std::string(BufferRef::adopt(out).text());
}

template <class Table>
Error PluginInstance<Table>::placed(const bp_error& error) const {
  return placed_at(facts_, error_of(error));
}

template class PluginInstance<bp_backend>;
template class PluginInstance<bp_transport>;
template class PluginInstance<bp_payment>;

}  // namespace backplane
