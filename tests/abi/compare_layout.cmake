# SPDX-License-Identifier: Apache-2.0
# Runs PROGRAM and compares what it prints with GOLDEN.
execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE found RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "layout.c does not list every field")
endif()
file(READ ${GOLDEN} expected)
if(NOT found STREQUAL expected)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/layout.txt "${found}")
  execute_process(COMMAND diff -u ${GOLDEN} ${CMAKE_CURRENT_BINARY_DIR}/layout.txt
                  OUTPUT_VARIABLE difference)
  message(FATAL_ERROR "the layout of the ABI has changed:\n${difference}"
                      "A change needs an entry in abi/CHANGES and a golden of its version.")
endif()
