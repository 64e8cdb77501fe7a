# The same program once more, as one ctest, on the GPU that the emulator makes of the processor; and
# where the CUDA module is built on a real one, for tests/gpu. CASE names a further one on the emulator,
# with ENVIRONMENT. Their list is for faults/run.
add_custom_target(levin_gpu_tests)
if(NOT LEVIN_SANITIZE STREQUAL thread)  # the emulator has one thread
  add_subdirectory(emulator)
endif()
set(emulated_tests ${CMAKE_CURRENT_BINARY_DIR}/emulated_tests.txt)
file(WRITE ${emulated_tests} "")
function(levin_test_emulated name)
  if(LEVIN_SANITIZE STREQUAL thread)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CASE;FILTER" "ENVIRONMENT")
  if(NOT arg_FILTER)
    set(arg_FILTER *)
  endif()
  if(TARGET levin_cuda AND NOT arg_CASE)
    add_test(NAME ${name}.gpu COMMAND test_${name} --gtest_filter=${arg_FILTER})
    set_tests_properties(${name}.gpu PROPERTIES TIMEOUT 600 LABELS gpu)
    add_dependencies(levin_gpu_tests levin_cuda)
  endif()
  add_dependencies(levin_gpu_tests test_${name})
  string(JOIN . test ${name}.emulated ${arg_CASE})
  add_test(NAME ${test} COMMAND test_${name} --gtest_filter=${arg_FILTER})
  set(emulator ${CMAKE_CURRENT_BINARY_DIR}/emulator)
  set_tests_properties(${test} PROPERTIES TIMEOUT 600 ENVIRONMENT
    "LEVIN_REQUIRE_GPU=1;LEVIN_CUDA_PATH=${emulator};LD_LIBRARY_PATH=${emulator};${arg_ENVIRONMENT}")
  add_dependencies(test_${name} levin_cuda_emulated levin_cuda_driver)
  file(APPEND ${emulated_tests} "test_${name}|${arg_FILTER}|${test}|${arg_ENVIRONMENT}\n")
endfunction()

# The same for an example that trains.
function(levin_example_emulated name)
  if(LEVIN_SANITIZE OR NOT LEVIN_BUILD_EXAMPLES)
    return()
  endif()
  set(emulator ${CMAKE_CURRENT_BINARY_DIR}/emulator)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/run_${name}_emulated)
  file(MAKE_DIRECTORY ${folder})
  add_test(NAME example.${name}.emulated COMMAND ${PROJECT_BINARY_DIR}/examples/${name} WORKING_DIRECTORY ${folder})
  set_tests_properties(example.${name}.emulated PROPERTIES TIMEOUT 600 ENVIRONMENT
    "PL_TRAINER_ACCELERATOR=cuda;LEVIN_CUDA_PATH=${emulator};LD_LIBRARY_PATH=${emulator}")
endfunction()
