// SPDX-License-Identifier: Apache-2.0
// The `backplane` program, as a function of the library.
#pragma once

// Exit status: 0 done; 1 it failed, and standard error says why; 2 the command line is wrong.
extern "C" __attribute__((visibility("default"))) int backplane_main(int argc, char** argv);
