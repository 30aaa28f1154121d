// SPDX-License-Identifier: Apache-2.0
// The engines that every test of a ledger's store runs on.
#pragma once

#include "runtime/store/ledger_store.hpp"

#include <backplane/clock.h>

#include <memory>
#include <string>

namespace backplane::test {

// A place of a test's own where an engine keeps books; gone with this.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // The same books each time.
  virtual std::unique_ptr<LedgerStore> open(const bp_clock& clock) = 0;
};

struct Engine {
  const char* name;
  std::unique_ptr<StorePlace> (*make)();  // null: it is not on this machine
};

// A folder of a test's own.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

const Engine* engines_begin();
const Engine* engines_end();

}  // namespace backplane::test
