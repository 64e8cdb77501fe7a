# The tests of the repository and of what users get: layers, symbols, ways to take levin in.
add_test(NAME layers COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}
                             -P ${CMAKE_CURRENT_SOURCE_DIR}/layers.cmake)
add_test(NAME layers_finds_faults COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_CURRENT_BINARY_DIR}/layers
                                          -P ${CMAKE_CURRENT_SOURCE_DIR}/layers_test.cmake)

add_test(NAME reading_path COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}
                                   -P ${CMAKE_CURRENT_SOURCE_DIR}/reading_path.cmake)

add_test(NAME file_sizes COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR}
                                 -P ${CMAKE_CURRENT_SOURCE_DIR}/file_sizes.cmake)
string(REPEAT "\n" 401 too_long)
file(CONFIGURE OUTPUT file_sizes/nn/long.h CONTENT "${too_long}" @ONLY)
add_test(NAME file_sizes_finds_faults
         COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_CURRENT_BINARY_DIR}/file_sizes
                                  -P ${CMAKE_CURRENT_SOURCE_DIR}/file_sizes.cmake)
set_tests_properties(file_sizes_finds_faults PROPERTIES WILL_FAIL TRUE)

add_test(NAME port_table COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_CURRENT_SOURCE_DIR}
                                 -P ${CMAKE_CURRENT_SOURCE_DIR}/port_table.cmake)

if(LEVIN_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL Release OR NOT LEVIN_INSTALL)
  return()
endif()

add_test(NAME symbols COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check_symbols ${CMAKE_READELF}
                              $<TARGET_FILE:levin>)

# A processor without AVX runs whatever it comes to.
add_test(NAME isa COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check_isa ${CMAKE_OBJDUMP} ${CMAKE_NM}
                          $<TARGET_FILE:levin> "isa_avx(2|512)")
add_test(NAME isa_finds_instructions COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check_isa ${CMAKE_OBJDUMP}
                                             ${CMAKE_NM} $<TARGET_FILE:levin> isa_avx512)
add_test(NAME isa_finds_shared_symbols COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/check_isa
                                               ${CMAKE_OBJDUMP} ${CMAKE_NM} $<TARGET_FILE:levin> ".")
set_tests_properties(isa_finds_instructions isa_finds_shared_symbols PROPERTIES WILL_FAIL TRUE)

# tests/consumer is built in each way in which a user may take levin in.
set(consumer ${CMAKE_CURRENT_SOURCE_DIR}/consumer)
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/prefix)
add_test(NAME consumer.install
         COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP prefix)

# levin_consumer_test(WAY CMAKE_OPTION...)
function(levin_consumer_test way)
  add_test(NAME consumer.${way} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${consumer} ${CMAKE_CURRENT_BINARY_DIR}/consumer_${way}
    --build-generator ${CMAKE_GENERATOR} --build-noclean
    --build-options -DWAY=${way} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} ${ARGN}
    --test-command consumer)
  set_tests_properties(consumer.${way} PROPERTIES PROCESSORS 2 TIMEOUT 600)
endfunction()

levin_consumer_test(find_package -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Release)
# This one compiles the library again (neither optimised nor for a debugger, which is quicker), so it is
# one of the long tests.
levin_consumer_test(add_subdirectory -DLEVIN_ROOT=${PROJECT_SOURCE_DIR} -DCMAKE_BUILD_TYPE=Debug
                    -DCMAKE_CXX_FLAGS_DEBUG=-O0)
set_tests_properties(consumer.add_subdirectory PROPERTIES LABELS full)
# FetchContent adds the same folder: that it configures, and leaves its host alone, is enough.
add_test(NAME consumer.FetchContent
         COMMAND ${CMAKE_COMMAND} -S ${consumer} -B ${CMAKE_CURRENT_BINARY_DIR}/consumer_FetchContent
                 -G ${CMAKE_GENERATOR} -DWAY=FetchContent -DLEVIN_ROOT=${PROJECT_SOURCE_DIR}
                 -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER})
set_tests_properties(consumer.find_package PROPERTIES FIXTURES_REQUIRED prefix)

find_program(LEVIN_PKG_CONFIG pkg-config)
if(LEVIN_PKG_CONFIG)
  add_test(NAME consumer.pkg_config COMMAND sh -c "'${CMAKE_CXX_COMPILER}' -std=c++20 -I'${consumer}' \
    '${consumer}/main.cpp' -o consumer_pkg_config $('${LEVIN_PKG_CONFIG}' --cflags --libs levin) \
    && ./consumer_pkg_config")
  set_tests_properties(consumer.pkg_config PROPERTIES FIXTURES_REQUIRED prefix
    ENVIRONMENT PKG_CONFIG_PATH=${prefix}/${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
