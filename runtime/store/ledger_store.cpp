// SPDX-License-Identifier: Apache-2.0
#include "runtime/store/ledger_store.hpp"

#include <future>
#include <utility>

namespace backplane {

LedgerResult LedgerStore::execute(LedgerCommand command) {
  std::promise<LedgerResult> answer;
  auto status = submit(std::move(command),
                       [&answer](LedgerResult result) { answer.set_value(std::move(result)); });
  if (!status) return status.error();
  return answer.get_future().get();
}

}  // namespace backplane
