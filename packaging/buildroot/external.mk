include $(sort $(wildcard $(BR2_EXTERNAL_INTERCOM_AGENT_PATH)/package/*/*.mk))
