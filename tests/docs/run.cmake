# For the tests that follow a page of docs/: they run commands and look at what these print.

# run(COMMAND…) in the folder `where` must succeed; leaves what it prints in `output`.
function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result WORKING_DIRECTORY ${where})
  message("${output}")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${result}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# expect(PATTERN): the last run printed that.
function(expect pattern)
  if(NOT output MATCHES "${pattern}")
    message(FATAL_ERROR "expected ${pattern}")
  endif()
endfunction()
