# The CUDA module as nvcc builds it: loading it where there is no GPU, and its machine code.
function(levin_skipped name why)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${why}")
  set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION skipped)
endfunction()

if(NOT TARGET levin_cuda)
  levin_skipped(cuda_module "needs nvcc, LEVIN_CUDA and no sanitizer")
  levin_skipped(machine_code "needs nvcc, LEVIN_CUDA and no sanitizer")
  return()
endif()

levin_test(cuda_module cuda_module_test.cpp WHOLE)
target_compile_definitions(test_cuda_module PRIVATE LEVIN_BUILD_ID="${levin_build_id}"
                           LEVIN_CUDA_MODULE="$<TARGET_FILE:levin_cuda>")
add_dependencies(test_cuda_module levin_cuda levin_cuda_driver)
add_test(NAME cuda_module.driver COMMAND test_cuda_module)
set_tests_properties(cuda_module.driver PROPERTIES ENVIRONMENT
  "LEVIN_CUDA_PATH=$<TARGET_FILE_DIR:levin_cuda>;LD_LIBRARY_PATH=${CMAKE_CURRENT_BINARY_DIR}/emulator")

# What is known of spills and registers is known of one architecture.
get_target_property(architectures levin_cuda CUDA_ARCHITECTURES)
if(NOT architectures STREQUAL 90-real)
  levin_skipped(machine_code "needs CMAKE_CUDA_ARCHITECTURES=90-real, not ${architectures}")
  return()
endif()

# machine_code_known.cu as a library whose machine code is compressed by MODE.
function(levin_known_kernels mode)
  add_custom_command(OUTPUT known_kernels_${mode}.so DEPENDS machine_code_known.cu VERBATIM
    COMMAND ${levin_nvcc} -shared -Xcompiler=-fPIC -arch=sm_90 --compress-mode=${mode}
            -o known_kernels_${mode}.so ${CMAKE_CURRENT_SOURCE_DIR}/machine_code_known.cu)
endfunction()
levin_known_kernels(none)
levin_known_kernels(size)
levin_test(machine_code machine_code.cpp machine_code_test.cpp known_kernels_none.so
           known_kernels_size.so)
add_dependencies(test_machine_code levin_cuda)
target_compile_definitions(test_machine_code PRIVATE
  LEVIN_CUDA_MODULE="$<TARGET_FILE:levin_cuda>"
  LEVIN_KNOWN_KERNELS="${CMAKE_CURRENT_BINARY_DIR}/known_kernels_none.so"
  LEVIN_COMPRESSED_KERNELS="${CMAKE_CURRENT_BINARY_DIR}/known_kernels_size.so")
