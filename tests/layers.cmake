# Checks the text of the repository at ROOT: a folder includes itself and the folders to its left.
#   cmake -DROOT=... -P layers.cmake
set(order kernels tensor autograd nn optim train)

foreach(folder ${order})
  list(FIND order ${folder} here)
  file(GLOB_RECURSE files ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.cpp ${ROOT}/${folder}/*.cu
                          ${ROOT}/${folder}/*.def)
  foreach(file ${files})
    file(RELATIVE_PATH name ${ROOT} ${file})
    file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      if(line MATCHES "<levin/")
        message(SEND_ERROR "${name}: inside the library write \"../folder/file.h\": ${line}")
      elseif(line MATCHES "\"([^\"]+)\"")
        cmake_path(GET file PARENT_PATH base)
        cmake_path(ABSOLUTE_PATH CMAKE_MATCH_1 BASE_DIRECTORY ${base} NORMALIZE OUTPUT_VARIABLE target)
        file(RELATIVE_PATH target ${ROOT} ${target})
        string(REGEX MATCH "^[^/]+" other ${target})
        list(FIND order ${other} there)
        if(NOT EXISTS ${ROOT}/${target})
          message(SEND_ERROR "${name}: not the path of a file from here: ${line}")
        elseif(there LESS 0)
          message(SEND_ERROR "${name}: includes what is not the library's: ${line}")
        elseif(there GREATER here)
          message(SEND_ERROR "${name}: ${other} lies to the right of ${folder}: ${line}")
        endif()
      endif()
    endforeach()
  endforeach()
endforeach()

# The project must stand without the notes that may lie beside a checkout.
find_program(git git)
if(git)
  execute_process(COMMAND ${git} grep --no-index -InE "[.][.]/shared|/work[/]shared"
                          -- . ":!build*" ":!lightning_logs" ":!.git"
                  WORKING_DIRECTORY ${ROOT} OUTPUT_VARIABLE found)
  if(found)
    message(SEND_ERROR "A folder outside the project is named:\n${found}")
  endif()
endif()
