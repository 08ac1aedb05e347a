# The runtime for edge files and its tests alone, with any compiler: the presets aarch64 and wasm.

# espalier_headers(HEADER…) makes headers of this machine's /usr/include, or folders of them, visible to a cross compiler, which must not see the
# rest of it.
function(espalier_headers)
  foreach(header ${ARGN})
    find_path(found_${header} ${header} PATHS /usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/headers)
    file(CREATE_LINK ${found_${header}}/${header} ${PROJECT_BINARY_DIR}/headers/${header} SYMBOLIC)
  endforeach()
endfunction()
espalier_headers(hwy xxhash.h)

if(EMSCRIPTEN)
  # Emscripten's linker needs Debian's node-acorn, which a Node.js from elsewhere does not look for there.
  set_property(GLOBAL PROPERTY RULE_LAUNCH_LINK "${CMAKE_COMMAND} -E env NODE_PATH=/usr/share/nodejs")
  add_compile_options(-Wno-shorten-64-to-32)  # sizes have 32 bits there
  add_compile_options("SHELL:-include ${PROJECT_SOURCE_DIR}/core/libcxx13.h")
endif()

# One instruction set of Highway's, called directly, so that its library is not needed. What AArch64 has beyond NEON, core/kernels picks at run time.
file(GLOB kernels CONFIGURE_DEPENDS core/kernels/*.cpp)
add_library(espalier_kernels OBJECT ${kernels})
target_include_directories(espalier_kernels PUBLIC ${PROJECT_SOURCE_DIR})
target_include_directories(espalier_kernels SYSTEM PUBLIC ${PROJECT_BINARY_DIR}/headers)
target_compile_definitions(espalier_kernels PUBLIC HWY_COMPILE_ONLY_STATIC)

add_subdirectory(apps/edge edge)
target_include_directories(espalier_edge SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/headers)
target_compile_definitions(espalier_edge PRIVATE HWY_COMPILE_ONLY_STATIC)
if(EMSCRIPTEN)
  target_link_options(edge PRIVATE -sNODERAWFS)  # for node: it reads files as they are
  add_subdirectory(apps/web)
endif()

find_program(JAVAC javac)  # the app's native part, which Gradle builds, here with another compiler
if(JAVAC AND CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64 AND PROJECT_IS_TOP_LEVEL)
  add_subdirectory(apps/android/app/src/main/cpp android)
endif()

# Debian's Emscripten cannot link relaxed SIMD of today: its Binaryen stops at "invalid code after SIMD prefix". So that kernel is a module of its own,
# made without it where a newer clang is there. A page that finds it compiles it into Module.int8Dots.
if(EMSCRIPTEN)
  find_program(RELAXED_CLANG clang++-19)
  find_program(WASM_LD NAMES wasm-ld-14 wasm-ld)
  if(RELAXED_CLANG AND WASM_LD)
    set(dots ${PROJECT_BINARY_DIR}/apps/web/int8_dots)
    add_custom_command(OUTPUT ${dots}.wasm
      COMMAND ${RELAXED_CLANG} --target=wasm32-unknown-emscripten --sysroot=${EMSCRIPTEN_SYSROOT} -std=c++20 -O3 -msimd128 -mrelaxed-simd
        -mbulk-memory -fno-exceptions -fno-rtti -Wall -Wextra -Werror -include ${PROJECT_SOURCE_DIR}/core/libcxx13.h -I${PROJECT_SOURCE_DIR}
        -MD -MF ${dots}.d -MT apps/web/int8_dots.wasm -c ${PROJECT_SOURCE_DIR}/core/kernels/gemm_int8_relaxed.cpp -o ${dots}.o
      COMMAND ${WASM_LD} --no-entry --import-memory --export=int8_dots --export=__stack_pointer --strip-all ${dots}.o -o ${dots}.wasm
      DEPENDS core/kernels/gemm_int8_relaxed.cpp DEPFILE ${dots}.d)
    add_custom_target(int8_dots ALL DEPENDS ${dots}.wasm)
    add_dependencies(espalier_web int8_dots)
  endif()
endif()

if(ESPALIER_TESTS)
  enable_testing()
  include(GoogleTest)
  # Debian's package googletest: libgtest-dev has it compiled for this machine only.
  set(GTEST_SOURCE /usr/src/googletest/googletest CACHE PATH "Sources of GoogleTest")
  add_library(espalier_gtest STATIC ${GTEST_SOURCE}/src/gtest-all.cc ${GTEST_SOURCE}/src/gtest_main.cc)
  target_include_directories(espalier_gtest SYSTEM PUBLIC ${GTEST_SOURCE}/include PRIVATE ${GTEST_SOURCE})
  target_compile_options(espalier_gtest PRIVATE -w)

  file(GLOB tests CONFIGURE_DEPENDS tests/core/kernels/*_test.cpp)
  list(FILTER tests EXCLUDE REGEX fake_quant)  # tests an op
  add_executable(tests_kernels ${tests} core/products/narrow_order.cpp)
  target_link_libraries(tests_kernels PRIVATE espalier_kernels espalier_gtest)
  gtest_discover_tests(tests_kernels DISCOVERY_MODE PRE_TEST PROPERTIES LABELS fast TIMEOUT 600)
  find_program(CHROMIUM chromium)
  if(EMSCRIPTEN)
    target_link_options(tests_kernels PRIVATE -sSINGLE_FILE)
    if(TARGET int8_dots AND CHROMIUM)
      add_test(NAME kernels_in_chromium COMMAND ${PROJECT_SOURCE_DIR}/tests/core/kernels/in_chromium.sh $<TARGET_FILE:tests_kernels> ${dots}.wasm)
      set_tests_properties(kernels_in_chromium PROPERTIES LABELS fast TIMEOUT 600)
    endif()
  endif()
  add_executable(tests_edge tests/edge/runtime_test.cpp)
  target_link_libraries(tests_edge PRIVATE espalier_edge espalier_gtest)
  target_compile_definitions(tests_edge PRIVATE ESPALIER_TESTS_DIR="${PROJECT_SOURCE_DIR}/tests")
  if(EMSCRIPTEN)
    target_link_options(tests_edge PRIVATE -sNODERAWFS)
  endif()
  gtest_discover_tests(tests_edge DISCOVERY_MODE PRE_TEST PROPERTIES LABELS fast TIMEOUT 600)
  foreach(cpu ${ESPALIER_CPUS})  # others that the emulator knows
    add_test(NAME kernels_on_${cpu} COMMAND qemu-aarch64 -cpu ${cpu} $<TARGET_FILE:tests_kernels>)
    set_tests_properties(kernels_on_${cpu} PROPERTIES LABELS fast TIMEOUT 600)
  endforeach()
endif()
