// SPDX-License-Identifier: Apache-2.0
#include "runtime/include/backplane/embed.h"

int main(int argc, char** argv) {
  return backplane_main(argc, argv);
}
