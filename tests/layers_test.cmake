# Checks that layers.cmake finds each kind of fault, and nothing in a tree without one.
#   cmake -DROOT=(a folder to write to) -P layers_test.cmake
function(try expected file text)
  file(REMOVE_RECURSE ${ROOT})
  file(WRITE ${ROOT}/nn/linear.h "#include \"../tensor/tensor.h\"\n#include <vector>\n")
  file(WRITE ${ROOT}/tensor/tensor.h "#pragma once\n")
  file(WRITE ${ROOT}/levin.h "#pragma once\n")
  file(APPEND ${ROOT}/${file} ${text})
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${ROOT} -P ${CMAKE_CURRENT_LIST_DIR}/layers.cmake
                  RESULT_VARIABLE code ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # CMake wraps messages
  if(expected STREQUAL "nothing" AND code EQUAL 0 OR code AND output MATCHES "${expected}")
    return()
  endif()
  message(SEND_ERROR "in ${file}: ${text}expected: ${expected}\ncame: ${output}")
endfunction()

try("nothing" nn/linear.h "int x;\n")
try("tensor/tensor.h: nn lies to the right of tensor" tensor/tensor.h "#include \"../nn/linear.h\"\n")
try("nn/deep/a.cpp: not the path of a file" nn/deep/a.cpp "# include \"../tensor/tensor.h\"\n")
try("nn/linear.h: inside the library" nn/linear.h "#include <levin/tensor/tensor.h>\n")
try("nn/linear.h: includes what is not" nn/linear.h "#include \"../levin.h\"\n")
find_program(git git)
if(git)
  set(slash /)
  try("outside the project is named: README.md:1" README.md "See ..${slash}shared.\n")
endif()
