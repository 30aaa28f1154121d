// SPDX-License-Identifier: Apache-2.0
// `backplane model pull`: a model from the hub into the store.
#pragma once

#include "plugins/backends/local/store/download.hpp"
#include "plugins/backends/local/store/model_store.hpp"

namespace backplane::local {

struct PullOptions {
  ModelSource source;
  std::string store;  // its root
  std::string hub;    // URL; empty: HF_ENDPOINT, else kDefaultHub
  DownloadOptions download;
  long idle_timeout_s = 30;
};

// $HF_TOKEN, else the file `token` in $HF_HOME or ~/.cache/huggingface; empty when there is none.
std::string find_hub_token();

// Only one pull of a repository runs at a time, whatever the process. Files that are there and
// right are not brought again.
Result<StoredModel> pull_model(const PullOptions& options, Progress& progress);

}  // namespace backplane::local
