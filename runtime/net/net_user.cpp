// SPDX-License-Identifier: Apache-2.0
#include "runtime/net/net_user.hpp"

#include <backplane/plugin.hpp>

#include "runtime/net/listener.hpp"
#include "runtime/net/net.hpp"

namespace backplane {

NetUser::NetUser(Net& net) : net_(net), table_(*net.table()) {
  table_.context = this;
  table_.listen = [](void* context, const bp_listen_options* options,
                     const bp_listen_handler* handler, bp_listener** out,
                     bp_error* error) -> std::uint32_t {
    auto& self = *static_cast<NetUser*>(context);
    auto listener = self.net_.listen(*options, *handler, &self.group_);
    if (!listener) return report(listener.error(), error);
    *out = (*listener)->handle();
    return BP_CODE_OK;
  };
}

void NetUser::abort_all() {
  net_.abort_all(&group_);
}

}  // namespace backplane
