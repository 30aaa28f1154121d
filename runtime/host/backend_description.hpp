// SPDX-License-Identifier: Apache-2.0
// What a started backend says of itself, and what of it routes are chosen by.
#pragma once

#include "runtime/host/instances.hpp"
#include "runtime/pipeline/router.hpp"
#include "runtime/plugin/description.hpp"

namespace backplane {

// [control] Fails, with the backend's place in the file, where its description cannot be read.
Result<Description> description_of(const BackendPlugin& backend);

// [control] Notes prices, privacy and the rest with the routes that lead to the backend. What is no
// longer told is unknown again.
void apply(const Description& description, const BackendInstance& backend, const Router& router);

}  // namespace backplane
