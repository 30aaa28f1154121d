# SPDX-License-Identifier: Apache-2.0
# Installs the SDK of BINARY_DIR into a folder of its own, builds each installed template plugin by
# itself against it and, where there is a BACKPLANE, checks each.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
set(prefix ${WORK_DIR}/prefix)
run(${CMAKE_COMMAND} --install ${BINARY_DIR} --component sdk --prefix ${prefix})
foreach(template backends/echo transports/null payments/free)
  get_filename_component(name ${template} NAME)
  set(build ${WORK_DIR}/${name})
  run(${CMAKE_COMMAND} -S ${prefix}/share/backplane/templates/${template} -B ${build}
      -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Debug
      -DCMAKE_CXX_COMPILER=${CXX_COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
  run(${CMAKE_COMMAND} --build ${build})
  foreach(file CMakeLists.txt README.md schema.json ${name}.cpp)
    if(NOT EXISTS ${prefix}/share/backplane/templates/${template}/${file})
      message(FATAL_ERROR "the template ${template} lacks ${file}")
    endif()
  endforeach()
  foreach(file ${name}.so ${name}.yaml ${name}.schema.json)
    if(NOT EXISTS ${build}/${file})
      message(FATAL_ERROR "bp_add_plugin made no ${name}/${file}")
    endif()
  endforeach()
  if(BACKPLANE)
    run(${BACKPLANE} plugin check ${build}/${name}.so)
  endif()
endforeach()

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/share/pkgconfig)
  execute_process(COMMAND ${PKG_CONFIG} --cflags backplane-sdk OUTPUT_VARIABLE flags
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  run(${C_COMPILER} ${flags} -std=c11 -fsyntax-only -include backplane/backend.h -x c /dev/null)
endif()
