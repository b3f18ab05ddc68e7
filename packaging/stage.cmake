# cpack runs this over the staged files of a package, before it is made: what the distributions
# want otherwise than cmake --install has it.
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(source ${CPACK_TCPCONNECT_SOURCE})
if(CPACK_GENERATOR STREQUAL DEB)
	# /usr/sbin/tcpconnect is an alternative: deb/postinst.
	file(MAKE_DIRECTORY ${root}/usr/libexec/tcpconnect)
	file(RENAME ${root}/usr/sbin/tcpconnect ${root}/usr/libexec/tcpconnect/tcpconnect)
	file(REMOVE_RECURSE ${root}/usr/sbin)
	set(tool /usr/libexec/tcpconnect/tcpconnect)

	# Debian's zsh looks for packages' completions elsewhere.
	file(MAKE_DIRECTORY ${root}/usr/share/zsh/vendor-completions)
	file(RENAME ${root}/usr/share/zsh/site-functions/_tcpconnect
		${root}/usr/share/zsh/vendor-completions/_tcpconnect)
	file(REMOVE_RECURSE ${root}/usr/share/zsh/site-functions)

	# Debian policy 12.5 and 12.7: copyright, changelog.
	set(doc ${root}/usr/share/doc/tcpconnect)
	file(COPY ${source}/packaging/deb/copyright DESTINATION ${doc})
	file(REMOVE ${doc}/LICENSE) # named by copyright
	set(PROJECT_VERSION ${CPACK_PACKAGE_VERSION})
	set(PACKAGE_CONTACT ${CPACK_PACKAGE_CONTACT})
	configure_file(${source}/packaging/deb/changelog ${doc}/changelog.Debian @ONLY)
	if(EXISTS ${doc}/CHANGELOG.md)
		file(RENAME ${doc}/CHANGELOG.md ${doc}/changelog)
	endif()
	file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
	configure_file(${source}/packaging/deb/lintian-overrides
		${root}/usr/share/lintian/overrides/tcpconnect COPYONLY)
else()
	set(tool /usr/sbin/tcpconnect)
endif()
execute_process(COMMAND ${CPACK_TCPCONNECT_STRIP} --remove-section=.comment --remove-section=.note
	${root}${tool} COMMAND_ERROR_IS_FATAL ANY)
# Manuals are shipped compressed, and Debian's changelogs (policy 12.1).
file(GLOB pages ${root}/usr/share/doc/tcpconnect/changelog* ${root}/usr/share/man/man8/*.8)
foreach(page ${pages})
	execute_process(COMMAND gzip -9n ${page} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(READ ${root}/usr/lib/systemd/system/tcpconnect.service unit)
string(REGEX REPLACE "\nExecStart=[^ ]*" "\nExecStart=${tool}" unit "${unit}")
file(WRITE ${root}/usr/lib/systemd/system/tcpconnect.service "${unit}")

# Whatever the umask of who packs.
file(CHMOD_RECURSE ${root}
	FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
	DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
		GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(GLOB scripts ${root}/usr/share/doc/tcpconnect/examples/*.sh)
file(CHMOD ${root}${tool} ${scripts}
	FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
		GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
