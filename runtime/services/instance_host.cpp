// SPDX-License-Identifier: Apache-2.0
#include "runtime/services/instance_host.hpp"

#include "runtime/services/key_value_store.hpp"
#include "runtime/services/logger.hpp"

#include <backplane/plugin.hpp>
#include <vector>

namespace backplane {
namespace {

const InstanceHost& self_of(void* context) {
  return *static_cast<const InstanceHost*>(context);
}

LogLevel level_of(std::uint32_t level) {
  return level >= BP_LOG_ERROR ? LogLevel::kError : static_cast<LogLevel>(level);
}

std::uint32_t log_enabled(void* context, std::uint32_t level) {
  return self_of(context).shared().logger->enabled(level_of(level)) ? 1 : 0;
}

void log_write(void* context, std::uint32_t level, bp_str request_id, bp_str message,
               const bp_pair* fields, std::uint64_t field_count) {
  constexpr std::uint64_t kFieldsMax = 32;
  const InstanceHost& self = self_of(context);
  std::vector<LogField> out;
  if (request_id.size != 0) out.emplace_back("request_id", view(request_id));
  for (std::uint64_t i = 0; i < field_count && i < kFieldsMax; ++i) {
    out.emplace_back(view(fields[i].name), view(fields[i].value));
  }
  self.shared().logger->write(level_of(level), self.path(), view(message), out);
}

// A copy that leaves nothing behind in memory.
bp_buffer make_wiped_buffer(const std::string& text) {
  struct Owner {
    std::string text;
    std::atomic<std::uint32_t> count{1};
  };
  auto* owner = new Owner{text, {1}};
  return {owner->text.data(),
          owner->text.size(),
          BP_MEMORY_HOST,
          0,
          owner,
          [](void* self) { static_cast<Owner*>(self)->count.fetch_add(1); },
          [](void* self) {
            auto* held = static_cast<Owner*>(self);
            if (held->count.fetch_sub(1) != 1) return;
            explicit_bzero(held->text.data(), held->text.size());
            delete held;
          }};
}

std::uint32_t secret_get(void* context, bp_str reference, bp_buffer* out, bp_error* error) {
  const InstanceHost& self = self_of(context);
  const std::string own = "secret:" + self.path() + ".";
  const std::string_view wanted = view(reference);
  const std::string* value =
      wanted.substr(0, own.size()) == own ? self.shared().secrets->find(wanted) : nullptr;
  if (value == nullptr) {
    return report({Code::kNotFound, "there is no such secret for this instance", {}, 0, 0}, error);
  }
  *out = make_wiped_buffer(*value);
  return BP_CODE_OK;
}

std::string key_of(const InstanceHost& self, bp_str key) {
  return self.path() + '\n' + std::string(view(key));
}

Status check_key(bp_str key) {
  constexpr std::uint64_t kKeyBytesMax = 512;  // the plugin's own part
  if (key.size != 0 && key.size <= kKeyBytesMax) return ok();
  return invalid_argument("a key has 1 to 512 bytes");
}

std::uint32_t code_of(const Status& status, bp_error* error) {
  return status ? BP_CODE_OK : report(status.error(), error);
}

std::uint32_t kv_get(void* context, bp_str key, bp_buffer* out, bp_error* error) {
  const InstanceHost& self = self_of(context);
  Result<std::string> value = self.shared().store->get(key_of(self, key));
  if (!value) return report(value.error(), error);
  *out = make_buffer(std::move(*value));
  return BP_CODE_OK;
}

std::uint32_t kv_put_if_absent(void* context, bp_str key, bp_str value, std::uint64_t ttl_ms,
                               bp_error* error) {
  const InstanceHost& self = self_of(context);
  if (const Status checked = check_key(key); !checked) return report(checked.error(), error);
  return code_of(self.shared().store->put_if_absent(key_of(self, key), view(value), ttl_ms), error);
}

std::uint32_t kv_compare_and_swap(void* context, bp_str key, bp_str expected, bp_str value,
                                  std::uint64_t ttl_ms, bp_error* error) {
  const InstanceHost& self = self_of(context);
  if (const Status checked = check_key(key); !checked) return report(checked.error(), error);
  return code_of(
      self.shared().store->compare_and_swap(key_of(self, key), view(expected), view(value), ttl_ms),
      error);
}

}  // namespace

InstanceHost::InstanceHost(std::string path, const SharedServices& shared)
    : path_(std::move(path)),
      shared_(shared),
      log_{sizeof(bp_log), 0, this, &log_enabled, &log_write},
      secrets_{sizeof(bp_secrets), 0, this, &secret_get},
      kv_{sizeof(bp_kv), 0, this, &kv_get, &kv_put_if_absent, &kv_compare_and_swap},
      host_{sizeof(bp_host),
            BP_ABI_MAJOR,
            BP_ABI_MINOR,
            0,
            str(BACKPLANE_VERSION),
            this,
            [](const bp_host* host, bp_str id) -> const void* {
              return self_of(host->context).find(view(id));
            }} {}

const void* InstanceHost::find(std::string_view id) const {
  if (id == BP_LOOP_ID) return shared_.loop;
  if (id == BP_NET_ID) return shared_.net;
  if (id == BP_HTTP_ID) return shared_.http;
  if (id == BP_CLOCK_ID) return shared_.clock;
  if (id == BP_METRICS_ID) return shared_.metrics;
  if (id == BP_GATEWAY_ID) return shared_.gateway;
  if (id == BP_LOG_ID && shared_.logger != nullptr) return &log_;
  if (id == BP_SECRETS_ID && shared_.secrets != nullptr) return &secrets_;
  if (id == BP_KV_ID && shared_.store != nullptr) return &kv_;
  return nullptr;
}

}  // namespace backplane
