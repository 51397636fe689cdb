################################################################################
#
# intercom-agent
#
################################################################################

INTERCOM_AGENT_VERSION = 0.2.0
INTERCOM_AGENT_SITE = $(call qstrip,$(BR2_PACKAGE_INTERCOM_AGENT_SITE))
INTERCOM_AGENT_SOURCE = intercom-agent-$(INTERCOM_AGENT_VERSION)-$(INTERCOM_AGENT_CPU).tar.gz
INTERCOM_AGENT_LICENSE = MIT or Apache-2.0, and those in NOTICES
INTERCOM_AGENT_LICENSE_FILES = NOTICES

# Nothing is compiled here.
INTERCOM_AGENT_ADD_TOOLCHAIN_DEPENDENCY = NO

ifeq ($(BR2_aarch64),y)
INTERCOM_AGENT_CPU = aarch64
else ifeq ($(BR2_x86_64),y)
INTERCOM_AGENT_CPU = x86_64
else
INTERCOM_AGENT_CPU = armv7
endif

INTERCOM_AGENT_OWN_CONFIG = $(call qstrip,$(BR2_PACKAGE_INTERCOM_AGENT_CONFIG))

ifneq ($(INTERCOM_AGENT_OWN_CONFIG),)
INTERCOM_AGENT_PRINT_CONFIG = cat '$(INTERCOM_AGENT_OWN_CONFIG)'
else
# The shell takes the quotes of the options away. The lists are TOML's.
INTERCOM_AGENT_PRINT_CONFIG = { :; \
	$(if $(call qstrip,$(BR2_PACKAGE_INTERCOM_AGENT_MODEL)), \
		printf 'models = ["%s"]\n' $(BR2_PACKAGE_INTERCOM_AGENT_MODEL);) \
	$(if $(call qstrip,$(BR2_PACKAGE_INTERCOM_AGENT_MQTT_URL)), \
		printf '[mqtt]\nurl = "%s"\n' $(BR2_PACKAGE_INTERCOM_AGENT_MQTT_URL);) \
	$(if $(call qstrip,$(BR2_PACKAGE_INTERCOM_AGENT_HTTP_URL)), \
		printf '[http]\nurl = "%s"\n' $(BR2_PACKAGE_INTERCOM_AGENT_HTTP_URL);) \
	}
endif

# Mode 600, as install gives it. Everything else is put there by the
# installer of the archive, which keeps this file.
define INTERCOM_AGENT_INSTALL_TARGET_CMDS
	$(INSTALL) -d -m 0755 $(TARGET_DIR)/etc
	$(INTERCOM_AGENT_PRINT_CONFIG) >$(@D)/image.toml
	$(INSTALL) -m 0600 $(@D)/image.toml $(TARGET_DIR)/etc/intercom-agent.toml
endef

define INTERCOM_AGENT_INSTALL_INIT_SYSV
	$(@D)/install --root $(TARGET_DIR) --remove
	$(@D)/install --root $(TARGET_DIR) --busybox
endef

define INTERCOM_AGENT_INSTALL_INIT_SYSTEMD
	$(@D)/install --root $(TARGET_DIR) --systemd
endef

# systemd-sysusers and systemd-tmpfiles would do it on the panel, and not where
# they are left out or the root file system cannot be written.
ifeq ($(BR2_INIT_SYSTEMD),y)
define INTERCOM_AGENT_USERS
	intercom-agent -1 intercom-agent -1 * - - - Intercom agent
endef
define INTERCOM_AGENT_PERMISSIONS
	/etc/intercom-agent.toml f 600 intercom-agent intercom-agent - - - - -
endef
endif

# inittab and the network's scripts belong to other packages, which are only
# complete then.
ifeq ($(BR2_INIT_SYSTEMD),)
define INTERCOM_AGENT_FINISH
	BUILD_DIR=$(BUILD_DIR) BR2_CONFIG=$(BR2_CONFIG) \
		$(INTERCOM_AGENT_PKGDIR)/post-build.sh $(TARGET_DIR)
endef
INTERCOM_AGENT_TARGET_FINALIZE_HOOKS += INTERCOM_AGENT_FINISH
endif

$(eval $(generic-package))
