# Last part of cmake --install: the files that it installed, for `uninstall`. Not when cpack fills a
# package: that is no installation.
if(NOT "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}" MATCHES "/_CPack_Packages/")
	list(JOIN CMAKE_INSTALL_MANIFEST_FILES "\n" text)
	file(WRITE ${UNINSTALL_LISTS}/uninstall_files.txt "${text}\n")
endif()
