# SPDX-License-Identifier: Apache-2.0
# Compiles every header of FOLDER alone as LANGUAGE (c or c++) of STANDARD with COMPILER; the C
# tables without a byte of padding. USER is a source that uses every struct: Clang finds padding
# only where a size is asked for.
cmake_policy(VERSION 3.25)

function(compile what)
  execute_process(COMMAND ${COMPILER} -x ${LANGUAGE} -std=${STANDARD} -Wall -Wextra -Wpedantic
                          -Wconversion -Wshadow -Werror -fsyntax-only -I${FOLDER} ${ARGN}
                  RESULT_VARIABLE result ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    message(SEND_ERROR "${what} as ${STANDARD}:\n${errors}")
  endif()
endfunction()

file(GLOB tables RELATIVE ${FOLDER} ${FOLDER}/backplane/*.h)
file(GLOB sdk RELATIVE ${FOLDER} ${FOLDER}/backplane/*.hpp)
if(NOT tables OR NOT sdk)
  message(FATAL_ERROR "${FOLDER}: no headers")
endif()
foreach(header ${tables})
  compile(${header} -Wpadded -include ${header} /dev/null)
endforeach()
compile(${USER} -Wpadded ${USER})
if(LANGUAGE STREQUAL "c++")
  foreach(header ${sdk})
    compile(${header} -include ${header} /dev/null)
  endforeach()
endif()
