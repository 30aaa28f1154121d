# SPDX-License-Identifier: Apache-2.0
# Writes FOLDER/NAME.yaml and FOLDER/NAME.schema.json beside FOLDER/NAME.so. Run by bp_add_plugin.
file(READ ${ABI_HEADER} header)
foreach(part MAJOR MINOR)
  if(NOT header MATCHES "#define BP_ABI_${part} ([0-9]+)")
    message(FATAL_ERROR "${ABI_HEADER}: BP_ABI_${part} is not defined")
  endif()
  set(abi_${part} ${CMAKE_MATCH_1})
endforeach()
file(SHA256 ${FOLDER}/${NAME}.so sha256)
configure_file(${SCHEMA} ${FOLDER}/${NAME}.schema.json COPYONLY)
file(WRITE ${FOLDER}/${NAME}.yaml
"name: \"${NAME}\"
kind: ${KIND}
interface: bp.${KIND}/1
version: \"${VERSION}\"
abi: {major: ${abi_MAJOR}, minor: ${abi_MINOR}, required_minor: ${REQUIRED_MINOR}}
sha256: \"${sha256}\"
schema: \"${NAME}.schema.json\"
")
if(COMMANDS)
  file(APPEND ${FOLDER}/${NAME}.yaml "commands: [${COMMANDS}]\n")
endif()
