//! What a broker does not do.

use rumqttc::ConnectReturnCode;

causes! {
    /// Why a broker that is connected to is not used.
    enum MqttCause {
        /// What comes is not MQTT, as the library describes it.
        NotMqtt { why: String } = "mqtt-not-spoken",
            "what answers there does not speak MQTT 3.1.1 ({why})",
            "check the port in `url`";
        /// Something ends the connection after CONNECT, without CONNACK.
        NoConnAck { keep_alive: u64 } = "mqtt-no-connack",
            "it closes the connection instead of answering CONNECT (keep-alive {keep_alive} s)",
            "if that port is for TLS, write mqtts://; else let the broker take retained messages and QoS 1, which presence needs (`retain_available`, `max_qos` in mosquitto)";
        /// It closes a connection with the panel's last will, and takes one without.
        NoRetain = "mqtt-no-retain",
            "it closes each connection that has a retained last will, and takes one without",
            "let the broker take retained messages, which presence needs (`retain_available` in mosquitto)";
        /// It grants QoS 0 where QoS 1 is asked for.
        NoQos1 = "mqtt-no-qos-1",
            "it only takes QoS 0",
            "let the broker take QoS 1, which requests and presence need (`max_qos` in mosquitto)";
        /// CONNACK 2 to the configured keep-alive under any client ID, and not to a shorter one.
        KeepAlive { keep_alive: u64 } = "mqtt-keep-alive",
            "it refuses a keep-alive of {keep_alive} s, and takes a shorter one",
            "set `keep_alive` to what it allows (`max_keepalive` in mosquitto)";
        /// CONNACK 1 (MQTT 3.1.1, section 3.2.2.3).
        Version = "mqtt-version",
            "it does not speak MQTT 3.1.1 (CONNACK 1)",
            "use a broker that does";
        /// CONNACK 2, and not to another client ID.
        OwnClientId { client_id: String } = "mqtt-own-client-id",
            "it refuses the client ID {client_id}, and takes another one",
            "let the broker take the board's name as the client ID";
        /// CONNACK 2.
        ClientId { client_id: String, keep_alive: u64 } = "mqtt-client-id",
            "it refuses the client ID {client_id}, or a keep-alive of {keep_alive} s (CONNACK 2)",
            "let the broker take the board's name as the client ID; or set `keep_alive` to what it allows (`max_keepalive` in mosquitto)";
        /// CONNACK 3.
        Unavailable = "mqtt-unavailable",
            "it is not available now (CONNACK 3)",
            "";
        /// CONNACK 4.
        Login = "mqtt-login",
            "wrong user name or password (CONNACK 4)",
            "check `username` and `password_file`";
        /// CONNACK 5. mosquitto says it of a wrong password too.
        NotAuthorized = "mqtt-not-authorized",
            "this panel may not connect (CONNACK 5)",
            "check `username` and `password_file`, and the broker's access rules";
        /// SUBACK refuses a topic that the panel needs.
        TopicRefused { filter: String } = "mqtt-topic-refused",
            "it refuses the subscription to {filter}",
            "let the broker's access rules grant it";
        /// SUBACK refuses the requests by MAC address, which `mac_topics = true` asks for.
        MacTopicRefused { filter: String } = "mqtt-mac-topic-refused",
            "it refuses the subscription to {filter}",
            "let the broker's access rules grant it, or set `mac_topics = false`, which leaves it out";
        /// The connection is closed over SUBSCRIBE, which says nothing about which of the topics is refused.
        ClosedOverSubscribe { filters: String } = "mqtt-closed-over-subscribe",
            "it closed the connection instead of answering the subscription to {filters}",
            "let the broker's access rules grant this panel to read each of these topics";
        /// No SUBACK.
        NoSubAck = "mqtt-no-suback",
            "it does not answer the subscription",
            "";
        /// More than so many bytes of requests came before SUBACK.
        TooMuchBeforeSubAck { limit: usize } = "mqtt-too-much",
            "it sends more than {limit} bytes of requests before it answers the subscription",
            "clear what is retained there";
        /// The subscription is granted, and the panel's own presence does not come.
        PresenceNotReturned { topic: String } = "mqtt-presence",
            "it does not give {topic} back to this panel",
            "let its access rules grant the panel to write and to read that topic";
        /// A message has no PUBACK within this time, in seconds.
        NotAcknowledged { within: u64 } = "mqtt-no-puback",
            "it answers, but has not acknowledged a message within {within} s",
            "look at the broker; the panel connects anew and sends it again";
        /// So many messages came that the panel has not acknowledged.
        TooManyUnacknowledged { count: usize } = "mqtt-too-many",
            "it has sent {count} messages without waiting for acknowledgements",
            "";
        /// No PINGRESP.
        NoPingResp = "mqtt-no-pingresp",
            "it no longer answers (PINGREQ)",
            "";
        /// The broker has closed the connection after this silence, in seconds.
        Closed { silence: u64 } = "mqtt-closed",
            "it closed the connection, which had been silent for {silence} s",
            "";
        /// DISCONNECT came.
        Disconnect = "mqtt-disconnect",
            "it ends the connection (DISCONNECT)",
            "";
        /// The broker closes each connection soon after it was made.
        TakenOver = "mqtt-taken-over",
            "it closes each connection soon after it was made: either another panel connects under this board name too (identity conflict), or what lies between the panel and the broker ends connections that are idle for less than 5 s, the least `keep_alive`",
            "give one of the two panels another `board_name`; or raise the idle limit";
        /// Each connection is closed after this silence, in seconds.
        Idle { silence: u64 } = "mqtt-idle",
            "the connection is closed each time that it was silent for {silence} s",
            "set `keep_alive` below the idle limit of what lies between the panel and the broker; if that does not help, another client connects under this board name at fixed intervals";
        /// Each connection is closed over a report of so many bytes.
        ReportTooLarge { bytes: usize } = "mqtt-report-size",
            "it closes the connection over a report of {bytes} bytes: its limit for a packet is smaller (`max_packet_size` in mosquitto)",
            "nothing: the report goes without `log_extra`, then without `errors`, then without `reason`";
        /// A connection was closed while a report of so many bytes was on its way.
        ClosedOverReport { bytes: usize } = "mqtt-closed-over-report",
            "it closed the connection while a report of {bytes} bytes was on its way",
            "";
        /// A message is larger than so many bytes. It is rejected and acknowledged.
        MessageTooLarge { topic: String, limit: usize } = "mqtt-message-size",
            "the message on {topic} is too large: a panel reads at most {limit} bytes",
            "if it is retained, clear it";
        /// The client within the panel does not do its work.
        Client { why: String } = "mqtt-client",
            "the MQTT client of this panel has failed: {why}",
            "";
        /// The agent wants what was not acknowledged to come again.
        AskAgain = "mqtt-ask-again",
            "asking for unacknowledged messages again",
            "";
        /// Anything else, as the library describes it.
        Other { why: String } = "mqtt",
            "the connection failed: {why}",
            "";
    }
}

impl MqttCause {
    /// The client does not do its work.
    pub(crate) fn client(why: impl ToString) -> Self {
        MqttCause::Client { why: why.to_string() }
    }

    /// What a return code of CONNACK means.
    pub(crate) fn refused(code: ConnectReturnCode, client_id: &str, keep_alive: u64) -> Self {
        match code {
            ConnectReturnCode::Success => {
                MqttCause::Other { why: "CONNACK 0 where an error was expected".to_owned() }
            }
            ConnectReturnCode::RefusedProtocolVersion => MqttCause::Version,
            ConnectReturnCode::BadClientId => {
                MqttCause::ClientId { client_id: client_id.to_owned(), keep_alive }
            }
            ConnectReturnCode::ServiceUnavailable => MqttCause::Unavailable,
            ConnectReturnCode::BadUserNamePassword => MqttCause::Login,
            ConnectReturnCode::NotAuthorized => MqttCause::NotAuthorized,
        }
    }
}
