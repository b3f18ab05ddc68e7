# cmake --install, in one of three layouts:
#   plain   sbin/tcpconnect, manual, completions, documentation, systemd unit
#   bcc     in the places of bcc's own installation: share/bcc/tools/tcpconnect and so on
#   debian  under the names of Debian's bpfcc-tools: sbin/tcpconnect-bpfcc
set(LAYOUT plain CACHE STRING "Where things are installed: plain, bcc or debian")
set_property(CACHE LAYOUT PROPERTY STRINGS plain bcc debian)
include(GNUInstallDirs)

# Whatever the umask of checkout and installer.
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# First of all rules: note which directories are not there yet, for `uninstall` takes away only
# what an installation made. Last: which files were installed, for cmake's own list is overwritten
# when cpack fills a package.
install(CODE "set(UNINSTALL_LISTS \"${CMAKE_BINARY_DIR}\")")
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/directories.cmake)

set(manual ${CMAKE_SOURCE_DIR}/man/tcpconnect.8)
set(example ${CMAKE_SOURCE_DIR}/examples/tcpconnect_example.txt)

if(LAYOUT STREQUAL plain)
	install(TARGETS tcpconnect RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
	install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
	install(FILES completions/tcpconnect.bash RENAME tcpconnect
		DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
	install(FILES completions/_tcpconnect
		DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
	install(FILES completions/tcpconnect.fish
		DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
	install(FILES LICENSE README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
	install(FILES docs/design.md docs/tcpconnect.svg DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs)
	# Not examples/make and examples/walk: they make the examples, from the sources.
	install(PROGRAMS examples/cgroup-filter.sh examples/mntns-filter.sh
		DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
	install(FILES ${example} examples/tcpconnect.schema.json
		DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
	install(FILES examples/rsyslog/30-tcpconnect.conf
		DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/rsyslog)
	configure_file(packaging/tcpconnect.service.in tcpconnect.service @ONLY)
	install(FILES ${CMAKE_BINARY_DIR}/tcpconnect.service DESTINATION lib/systemd/system)
elseif(LAYOUT STREQUAL bcc)
	install(TARGETS tcpconnect RUNTIME DESTINATION share/bcc/tools)
	install(FILES ${example} DESTINATION share/bcc/tools/doc)
	install(FILES ${manual} DESTINATION share/bcc/man/man8)
elseif(LAYOUT STREQUAL debian)
	install(PROGRAMS $<TARGET_FILE:tcpconnect> DESTINATION ${CMAKE_INSTALL_SBINDIR}
		RENAME tcpconnect-bpfcc)
	install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8
		RENAME tcpconnect-bpfcc.8)
else()
	message(FATAL_ERROR "LAYOUT is ${LAYOUT}: choose plain, bcc or debian")
endif()

install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/manifest.cmake)
add_custom_target(uninstall
	COMMAND ${CMAKE_COMMAND} -DUNINSTALL_LISTS=${CMAKE_BINARY_DIR}
		-P ${CMAKE_CURRENT_LIST_DIR}/uninstall.cmake)
