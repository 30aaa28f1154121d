# SPDX-License-Identifier: Apache-2.0
#
# bp_add_plugin(<target>
#   KIND backend|transport|payment   what it is
#   NAME <name>                      a-z, 0-9, '-' and '_'; what `uses:` says in a deployment
#   VERSION <x.y.z>
#   SCHEMA <schema.json>             JSON Schema of the settings, at most 64 KiB
#   SOURCES <file>...
#   [LIBRARIES <library>...]
#   [REQUIRED_MINOR <n>]             least ABI minor it runs with; default 0
#   [COMMANDS <name>...]             subcommands of the program; backplane/command.h
#   [OUTPUT_FOLDER <folder>])        where its three files go; they are not installed then
#
# Makes <name>.so, which exports the entry symbol alone and has no undefined symbol, and beside it
# the manifest <name>.yaml and <name>.schema.json. The sources may use
#   BP_PLUGIN_NAME, BP_PLUGIN_VERSION   string literals
#   BP_PLUGIN_REQUIRED_MINOR            an integer
#   #include "bp_plugin_schema.inc"     the schema as a string literal (C and C++)
include_guard(GLOBAL)

set(BP_PLUGIN_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR} CACHE INTERNAL "")
set(BP_PLUGIN_SCHEMA_BYTES_MAX 65536 CACHE INTERNAL "")

function(bp_add_plugin target)
  cmake_parse_arguments(PARSE_ARGV 1 arg ""
                        "KIND;NAME;VERSION;SCHEMA;REQUIRED_MINOR;OUTPUT_FOLDER"
                        "SOURCES;LIBRARIES;COMMANDS")
  bp_check_plugin_arguments_()
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${target}.generated)
  bp_write_schema_literal_(${arg_SCHEMA} ${generated}/bp_plugin_schema.inc)

  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE backplane::sdk ${arg_LIBRARIES})
  target_include_directories(${target} PRIVATE ${generated})
  target_compile_definitions(${target} PRIVATE
    "BP_PLUGIN_NAME=\"${arg_NAME}\"" "BP_PLUGIN_VERSION=\"${arg_VERSION}\""
    BP_PLUGIN_REQUIRED_MINOR=${arg_REQUIRED_MINOR})
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${target} PRIVATE cxx_std_17)
  endif()

  get_property(root GLOBAL PROPERTY BP_PLUGIN_ROOT)
  set(folder ${CMAKE_CURRENT_BINARY_DIR})
  if(arg_OUTPUT_FOLDER)
    set(folder ${arg_OUTPUT_FOLDER})
    unset(root)
  elseif(root)
    set(folder ${root}/${arg_KIND}s)
  endif()
  bp_link_plugin_(${target} ${folder})
  bp_write_manifest_(${target} ${folder})
  if(root)
    # FILES, not TARGETS: nothing is stripped or rewritten, so the manifest's sha256 stays true.
    install(PROGRAMS ${folder}/${arg_NAME}.so COMPONENT plugins
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/backplane/plugins/${arg_KIND}s)
    install(FILES ${folder}/${arg_NAME}.yaml ${folder}/${arg_NAME}.schema.json COMPONENT plugins
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/backplane/plugins/${arg_KIND}s)
  endif()
endfunction()

macro(bp_check_plugin_arguments_)
  foreach(name KIND NAME VERSION SCHEMA SOURCES)
    if(NOT DEFINED arg_${name})
      message(FATAL_ERROR "bp_add_plugin(${target}): ${name} is missing")
    endif()
  endforeach()
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "bp_add_plugin(${target}): unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_KIND MATCHES "^(backend|transport|payment)$")
    message(FATAL_ERROR "bp_add_plugin(${target}): KIND must be backend, transport or payment, "
                        "found ${arg_KIND}")
  endif()
  if(NOT arg_NAME MATCHES "^[a-z][a-z0-9_-]*$")
    message(FATAL_ERROR "bp_add_plugin(${target}): NAME must match [a-z][a-z0-9_-]*, "
                        "found ${arg_NAME}")
  endif()
  if(NOT arg_VERSION MATCHES "^[0-9]+\\.[0-9]+\\.[0-9]+$")
    message(FATAL_ERROR "bp_add_plugin(${target}): VERSION must be x.y.z, found ${arg_VERSION}")
  endif()
  foreach(command ${arg_COMMANDS})
    if(NOT command MATCHES "^[a-z][a-z0-9-]*$")
      message(FATAL_ERROR "bp_add_plugin(${target}): COMMANDS must match [a-z][a-z0-9-]*, "
                          "found ${command}")
    endif()
  endforeach()
  if(NOT DEFINED arg_REQUIRED_MINOR)
    set(arg_REQUIRED_MINOR 0)
  endif()
  get_filename_component(arg_SCHEMA ${arg_SCHEMA} ABSOLUTE)
endmacro()

# The schema as adjacent string literals, one a line: readable by C and C++ compilers alike.
function(bp_write_schema_literal_ schema target)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema})
  file(SIZE ${schema} size)
  if(size EQUAL 0 OR size GREATER BP_PLUGIN_SCHEMA_BYTES_MAX)
    message(FATAL_ERROR "${schema}: ${size} bytes; expected 1 to ${BP_PLUGIN_SCHEMA_BYTES_MAX}")
  endif()
  file(READ ${schema} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "??" "?\\?" text "${text}")
  string(REPLACE "\r" "\\r" text "${text}")
  string(REPLACE "\n" "\\n\"\n\"" text "${text}")
  file(CONFIGURE OUTPUT ${target} CONTENT "\"@text@\"\n" @ONLY)
endfunction()

function(bp_link_plugin_ target folder)
  set(map ${BP_PLUGIN_CMAKE_DIR}/plugin.map)
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${arg_NAME} SUFFIX .so LIBRARY_OUTPUT_DIRECTORY $<1:${folder}>
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON BUILD_WITH_INSTALL_RPATH ON LINK_DEPENDS ${map})
  target_link_options(${target} PRIVATE LINKER:--version-script=${map}
                                        LINKER:--exclude-libs,ALL LINKER:-z,noexecstack)
  if(NOT BACKPLANE_SANITIZE)  # the sanitizer's symbols come from the executable
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
endfunction()

function(bp_write_manifest_ target folder)
  set(script ${BP_PLUGIN_CMAKE_DIR}/write_manifest.cmake)
  get_property(include_dir GLOBAL PROPERTY BP_SDK_INCLUDE_DIR)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script} ${arg_SCHEMA})
  list(JOIN arg_COMMANDS ", " commands)
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    BYPRODUCTS ${folder}/${arg_NAME}.yaml ${folder}/${arg_NAME}.schema.json
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DNAME=${arg_NAME} -DKIND=${arg_KIND}
            -DVERSION=${arg_VERSION} -DREQUIRED_MINOR=${arg_REQUIRED_MINOR}
            -DSCHEMA=${arg_SCHEMA} -DCOMMANDS=${commands}
            -DABI_HEADER=${include_dir}/backplane/abi.h -P ${script})
endfunction()
