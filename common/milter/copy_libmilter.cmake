# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the copy of libmilter.a that the milters link, and proves that it calls what was
# reviewed.  Run at build time:
#
#   cmake -DARCHIVE=.../libmilter.a -DCOPY=libmilter_copy.a -DSYMBOLS=libmilter.symbols
#         -DAR=ar -DNM=nm -DOBJCOPY=objcopy -P copy_libmilter.cmake
#
# worker.o, the pool of worker threads, is left out: session_threads.cpp defines the two
# functions that the rest of libmilter calls of it.  The calls below become calls of
# mxfeed_milter_read() and so on (libmilter_io.cpp).  What is undefined in the result must
# be what SYMBOLS lists: a libmilter that reads by another function (recv, __read_chk), or
# is built without the pool, fails the build instead of the mail.

set(RENAMED accept close listen poll read sigwait writev)

function(run output)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text ERROR_VARIABLE errors
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${errors}")
  endif()
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

# The symbols in the output of nm -P, sorted; `types` is a class of its type letters.
function(symbols_of text types output)
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  set(names "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^([^ ]+) ${types}( |$)")
      list(APPEND names ${CMAKE_MATCH_1})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES names)
  list(SORT names)
  set(${output} "${names}" PARENT_SCOPE)
endfunction()

set(made "${COPY}.new")
file(COPY_FILE ${ARCHIVE} ${made})

run(members ${AR} t ${made})
if(NOT members MATCHES "(^|\n)worker\\.o\n")
  message(FATAL_ERROR "${ARCHIVE} has no worker.o: libmilter is built without the pool "
                      "of worker threads (_FFR_WORKERS_POOL), which is not supported")
endif()
run(ignored ${AR} d ${made} worker.o)

set(renames "")
foreach(name IN LISTS RENAMED)
  list(APPEND renames --redefine-sym ${name}=mxfeed_milter_${name})
endforeach()
run(ignored ${OBJCOPY} ${renames} ${made})

run(table ${NM} -P ${made})
symbols_of("${table}" "[A-TV-Z]" defined)
symbols_of("${table}" "U" undefined)
list(REMOVE_ITEM undefined ${defined} _GLOBAL_OFFSET_TABLE_)

file(STRINGS ${SYMBOLS} reviewed REGEX "^[^#]")
list(SORT reviewed)
if(NOT undefined STREQUAL reviewed)
  set(unknown ${undefined})
  list(REMOVE_ITEM unknown ${reviewed})
  set(gone ${reviewed})
  list(REMOVE_ITEM gone ${undefined})
  list(JOIN unknown " " unknown)
  list(JOIN gone " " gone)
  message(FATAL_ERROR
    "${ARCHIVE} does not call what ${SYMBOLS} lists.\n"
    "  calls besides: ${unknown}\n"
    "  no longer calls: ${gone}\n"
    "Read what changed in libmilter before you change the list: every call that reads, "
    "waits or accepts must be one of ours.")
endif()
file(RENAME ${made} ${COPY})
