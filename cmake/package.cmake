# cpack: a .deb and an .rpm of the plain layout.
if(NOT LAYOUT STREQUAL plain)
	file(WRITE ${CMAKE_BINARY_DIR}/CPackConfig.cmake
		"message(FATAL_ERROR \"cpack needs -DLAYOUT=plain\")\n")
	return()
endif()
set(PACKAGE_CONTACT "tcpconnect authors <tcpconnect@packages.invalid>" CACHE STRING
	"Name and mail address of who makes the packages")

set(CPACK_GENERATOR DEB RPM)
set(CPACK_PACKAGE_NAME tcpconnect)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT ${PACKAGE_CONTACT})
set(CPACK_PACKAGE_VENDOR tcpconnect)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trace TCP connects: which process, to where, under which name")
set(CPACK_PACKAGE_DESCRIPTION
"Shows each TCP connect that a process of this host attempts, in all network
namespaces: process, addresses, ports, user, and if wanted the DNS name that
was looked up for the address, the outcome and how long it took; as a table,
as counts, or as JSON lines.

Its options and output are those of the tool of this name in bcc, but it
starts in milliseconds once its program has been compiled, needs no Python, and
no kernel headers where the kernel has BTF, and keeps no compiler in memory.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/packaging/stage.cmake)
set(CPACK_TCPCONNECT_SOURCE ${CMAKE_SOURCE_DIR})
set(CPACK_TCPCONNECT_STRIP ${CMAKE_STRIP})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# libbcc is loaded by name when something must be compiled, so no scan of the program finds it.
set(deb ${CMAKE_SOURCE_DIR}/packaging/deb)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS libbpfcc)
# For kernels without BTF only.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "linux-headers-amd64 | linux-headers-arm64 | linux-headers-generic")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
	${deb}/preinst ${deb}/postinst ${deb}/prerm ${deb}/postrm ${deb}/triggers)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# libbcc by its soname, as rpm names what a library provides: the package that has it is bcc in
# Fedora and libbcc0 in openSUSE.
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_LICENSE
	"Apache-2.0 AND (Apache-2.0 OR GPL-2.0-only) AND BSD-1-Clause") # the last is uthash's
set(CPACK_RPM_PACKAGE_GROUP "Development/Debuggers")
set(CPACK_RPM_PACKAGE_SUMMARY "Trace TCP connects: which process, to where, under which name")
set(CPACK_RPM_PACKAGE_DESCRIPTION "${CPACK_PACKAGE_DESCRIPTION}")
set(CPACK_RPM_PACKAGE_AUTOREQ ON)
set(CPACK_RPM_PACKAGE_REQUIRES "libbcc.so.0()(64bit)")
# cpack asks Debian's rpmbuild whether it knows these tags, and gets no answer.
set(CPACK_RPM_SPEC_MORE_DEFINE "Suggests: kernel-devel\nPackager: ${PACKAGE_CONTACT}")
set(CPACK_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_USER_FILELIST "%license /usr/share/doc/tcpconnect/LICENSE")
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_SOURCE_DIR}/packaging/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_SOURCE_DIR}/packaging/rpm/postun)
# The shells may not be there, so their directories belong to this package too.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
	/usr/sbin /usr/lib /usr/lib/systemd /usr/lib/systemd/system
	/usr/share/doc /usr/share/man /usr/share/man/man8)
include(CPack)
