// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/instances.hpp"

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

}  // namespace

template <class Table>
PluginInstance<Table>::PluginInstance(const config::PluginInstance& entry,
                                      const SharedServices& services)
    : place_(place_of(entry)),
      host_(std::make_unique<InstanceHost>(section_of(entry.kind) + '.' + entry.name, services)) {}

template <class Table>
Result<std::unique_ptr<PluginInstance<Table>>> PluginInstance<Table>::create(
    const config::PluginInstance& entry, const PluginCatalog& catalog, const LoadRules& rules,
    const SharedServices& services) {
  std::unique_ptr<PluginInstance> instance(new PluginInstance(entry, services));
  const std::string uses = entry.range.empty() ? entry.plugin : entry.plugin + '@' + entry.range;
  const Result<const PluginInfo*> info = catalog.find(kind_of(entry.kind), uses);
  if (!info) return Error{info.error().code, instance->place_ + info.error().message, {}, 0, 0};
  const auto plugin = PluginCatalog::load(**info, instance->host_->table(), rules);
  if (!plugin) {
    return Error{plugin.error().code, instance->place_ + plugin.error().message, {}, 0, 0};
  }
  instance->table_ =
      static_cast<const Table*>((*plugin)->get_interface(str(interface_of(kind_of(entry.kind)))));
  const bp_instance_options options{sizeof(bp_instance_options), 0, str(entry.name),
                                    str(entry.settings)};
  bp_error error{};
  if (instance->table_->create(instance->host_->table(), &options, &instance->self_, &error) !=
      BP_CODE_OK) {
    instance->self_ = nullptr;
    return instance->placed(error);
  }
  return instance;
}

template <class Table>
PluginInstance<Table>::~PluginInstance() {
  if (left_alone_) {
    host_.release();
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
  if (started_) table_->drain(self_, deadline_ns);
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
  Error out = error_of(error);
  out.message = place_ + out.message;
  return out;
}

template class PluginInstance<bp_backend>;
template class PluginInstance<bp_transport>;
template class PluginInstance<bp_payment>;

}  // namespace backplane
