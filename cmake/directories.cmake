# First part of cmake --install: add to the list of directories, for `uninstall`, those that the
# installation is about to make, deepest last. What it already names stays. Not when cpack fills a
# package: that is no installation.
if("$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}" MATCHES "/_CPack_Packages/")
	return()
endif()
set(list ${UNINSTALL_LISTS}/uninstall_directories.txt)
set(known "")
if(EXISTS ${list})
	file(STRINGS ${list} known)
endif()
# Any place that some layout uses; one that stays empty is not there at uninstall.
foreach(place sbin lib/systemd/system share/bash-completion/completions share/zsh/site-functions
	share/fish/vendor_completions.d share/doc/tcpconnect/docs
	share/doc/tcpconnect/examples/rsyslog share/man/man8 man/man8
	share/bcc/tools/doc share/bcc/man/man8)
	set(directory $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX})
	string(REPLACE "/" ";" parts ".;/${place}")
	foreach(part ${parts})
		if(NOT part STREQUAL "." AND NOT part STREQUAL "")
			string(APPEND directory "/${part}")
		endif()
		if(NOT IS_DIRECTORY ${directory})
			list(APPEND known ${directory})
		endif()
	endforeach()
endforeach()
list(REMOVE_DUPLICATES known)
list(JOIN known "\n" text)
file(WRITE ${list} "${text}\n")
