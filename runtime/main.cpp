// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/main.hpp"

int main(int argc, char** argv) { return backplane_main(argc, argv); }
