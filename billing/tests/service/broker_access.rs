//! Who is let into the built-in broker once there are tokens, and what for.

use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions,
    Packet, QoS,
};

use crate::common::panel::Panel;
use crate::common::{LIMIT, Running, report};

const WHO: &str = "intercoms/22:0D:CE:38:E7:15/who";

/// What the broker answers to a connection.
fn answer(
    billing: &Running,
    client_id: &str,
    credentials: Option<(&str, &str)>,
) -> ConnectReturnCode {
    let mut options = MqttOptions::new(client_id, "127.0.0.1", billing.mqtt_port());
    if let Some((user, password)) = credentials {
        options.set_credentials(user, password);
    }
    let (_client, mut events) = AsyncClient::new(options, 10);
    billing.runtime.block_on(async {
        match tokio::time::timeout(LIMIT, events.poll()).await.expect("in time") {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => answer.code,
            Err(ConnectionError::ConnectionRefused(code)) => code,
            other => panic!("{other:?}"),
        }
    })
}

type Polled = Result<Event, ConnectionError>;

/// Connects; whether the broker has a session.
fn session_of(billing: &Running, options: MqttOptions) -> Result<bool, ConnectReturnCode> {
    let (client, mut events) = AsyncClient::new(options, 10);
    billing.runtime.block_on(async {
        let answer = match tokio::time::timeout(LIMIT, events.poll()).await.expect("in time") {
            Ok(Event::Incoming(Packet::ConnAck(answer))) => Ok(answer.session_present),
            Err(ConnectionError::ConnectionRefused(code)) => Err(code),
            other => panic!("{other:?}"),
        };
        client.try_disconnect().expect("room");
        while events.poll().await.is_ok() {}
        answer
    })
}

fn panel(billing: &Running, board: &str, token: &str) -> Panel {
    Panel::with_token(billing.runtime.handle(), billing.mqtt_port(), board, token)
}

fn add_panel(billing: &Running, board: &str) -> String {
    billing.add_token(&["--role", "panel", "--board", board])
}

#[test]
fn a_panel_needs_its_own_token_its_own_user_name_and_its_own_client_id() {
    let billing = Running::start();
    assert_eq!(answer(&billing, "gate-1", None), ConnectReturnCode::Success, "no token yet");
    let (gate_1, gate_2) = (add_panel(&billing, "gate-1"), add_panel(&billing, "gate-2"));
    let operator = billing.add_token(&["--role", "operator"]);
    let revoked = add_panel(&billing, "gate-1");
    assert!(billing.token(&["revoke", "4"]).status.success());
    for (client_id, credentials, let_in) in [
        ("gate-1", Some(("gate-1", &*gate_1)), true),
        ("gate-2", Some(("gate-2", &*gate_2)), true),
        ("gate-1", Some(("gate-1", &*gate_2)), false),
        ("gate-1", Some(("gate-2", &*gate_2)), false),
        ("gate-2", Some(("gate-1", &*gate_1)), false),
        ("gate-1", Some(("gate-1", &*revoked)), false),
        ("gate-1", Some(("gate-1", &*operator)), false),
        ("gate-1", Some(("gate-1", "wrong")), false),
        ("gate-1", Some(("gate-1", "")), false),
        ("gate-1", None, false),
        ("anybody", None, false),
    ] {
        let expected = match let_in {
            true => ConnectReturnCode::Success,
            false => ConnectReturnCode::BadUserNamePassword,
        };
        assert_eq!(
            answer(&billing, client_id, credentials),
            expected,
            "{client_id} {credentials:?}"
        );
    }
}

#[test]
fn a_panel_may_subscribe_to_what_is_for_it_and_to_nothing_else() {
    let billing = Running::start();
    let token = add_panel(&billing, "gate-1");
    let mut gate_1 = panel(&billing, "gate-1", &token);
    for (filter, granted) in [
        ("intercoms/by-board/gate-1/#", true),
        ("intercoms/by-board/gate-1/patch/+", true),
        ("intercoms/who", true),
        (WHO, true),
        ("intercoms/22:0D:CE:38:E7:15/here/+", true),
        ("intercoms/by-board/gate-2/patch/+", false),
        ("intercoms/by-board/+/patch/+", false),
        ("intercoms/22:0D:CE:38:E7:15/patch/#", false),
        ("#", false),
    ] {
        assert_eq!(gate_1.is_granted(filter), granted, "{filter}");
    }
}

#[test]
fn what_a_panel_publishes_as_another_arrives_nowhere() {
    let billing = Running::start();
    let (token_1, token_2) = (add_panel(&billing, "gate-1"), add_panel(&billing, "gate-2"));
    let mut gate_1 = panel(&billing, "gate-1", &token_1);
    let mut gate_2 = panel(&billing, "gate-2", &token_2);
    gate_1.subscribe("intercoms/by-board/gate-1/#");
    gate_1.subscribe("intercoms/+/here/+");
    gate_1.subscribe("intercoms/+/who");
    for topic in [
        "intercoms/by-board/gate-1/patch/forged",
        "intercoms/by-board/gate-1/who",
        "intercoms/by-board/gate-1/presence",
        "intercoms/by-board/gate-1/status",
        "intercoms/22:0D:CE:38:E7:15/here/gate-1",
    ] {
        gate_2.publish(topic, false, "as gate-1");
    }
    gate_2.publish("intercoms/22:0D:CE:38:E7:15/here/gate-2", false, "as itself");
    gate_2.publish(WHO, false, "as itself");
    let heard = gate_1.receive(WHO);
    assert_eq!(heard.payload, "as itself");
    assert_eq!(gate_1.unread(), ["intercoms/22:0D:CE:38:E7:15/here/gate-2"]);
}

/// Each board could fill the room for what is retained otherwise, and the others' presence found none.
#[test]
fn what_panels_say_to_each_other_is_never_retained() {
    let billing = Running::start();
    let (token_1, token_2) = (add_panel(&billing, "gate-1"), add_panel(&billing, "gate-2"));
    let mut gate_2 = panel(&billing, "gate-2", &token_2);
    let here = "intercoms/22:0D:CE:38:E7:15/here/gate-2";
    gate_2.publish(WHO, true, "kept");
    gate_2.publish(here, true, "kept");
    let mut gate_1 = panel(&billing, "gate-1", &token_1);
    gate_1.subscribe("intercoms/+/who");
    gate_1.subscribe("intercoms/+/here/+");
    for topic in [WHO, here] {
        gate_2.publish(topic, false, "live");
        assert_eq!(gate_1.receive(topic).payload, "live");
    }
    let mut options = MqttOptions::new("gate-2", "127.0.0.1", billing.mqtt_port());
    options.set_credentials("gate-2", &token_2).set_last_will(LastWill::new(
        WHO,
        "kept",
        QoS::AtLeastOnce,
        true,
    ));
    assert_eq!(session_of(&billing, options), Err(ConnectReturnCode::NotAuthorized));
}

#[test]
fn a_board_may_have_no_last_will_as_another() {
    let billing = Running::start();
    let (token_1, token_2) = (add_panel(&billing, "gate-1"), add_panel(&billing, "gate-2"));
    let mut gate_1 = panel(&billing, "gate-1", &token_1);
    gate_1.subscribe("intercoms/by-board/gate-1/#");
    gate_1.subscribe("intercoms/+/who");
    for topic in ["intercoms/by-board/gate-1/presence", WHO] {
        let mut options = MqttOptions::new("gate-2", "127.0.0.1", billing.mqtt_port());
        options.set_credentials("gate-2", &token_2).set_last_will(LastWill::new(
            topic,
            "its last will",
            QoS::AtLeastOnce,
            false,
        ));
        drop(Panel::connect_with(billing.runtime.handle(), options));
    }
    assert_eq!(gate_1.receive(WHO).payload, "its last will");
    assert_eq!(gate_1.unread(), [""; 0]);
}

#[test]
fn a_revoked_token_may_publish_nothing_more_on_an_open_connection() {
    let billing = Running::start();
    let (token_1, token_2) = (add_panel(&billing, "gate-1"), add_panel(&billing, "gate-2"));
    let mut gate_1 = panel(&billing, "gate-1", &token_1);
    let mut gate_2 = panel(&billing, "gate-2", &token_2);
    gate_1.subscribe("intercoms/+/who");
    gate_2.publish(WHO, false, "before");
    assert_eq!(gate_1.receive(WHO).payload, "before");
    assert!(billing.token(&["revoke", "2"]).status.success());
    gate_2.publish(WHO, false, "after");
    gate_1.publish(WHO, false, "its own");
    assert_eq!(gate_1.receive(WHO).payload, "its own");
    assert!(!gate_2.is_granted("intercoms/who"));
}

#[test]
fn a_revoked_token_counts_no_more_on_an_open_connection_of_a_board_that_has_another() {
    let billing = Running::start();
    let (token_1, stolen) = (add_panel(&billing, "gate-1"), add_panel(&billing, "gate-2"));
    let mut gate_1 = panel(&billing, "gate-1", &token_1);
    gate_1.subscribe("intercoms/+/who");
    let mut options = MqttOptions::new("gate-2", "127.0.0.1", billing.mqtt_port());
    options
        .set_credentials("gate-2", &stolen)
        .set_clean_session(false)
        .set_last_will(LastWill::new(WHO, "its last will", QoS::AtLeastOnce, false));
    let mut thief = Panel::connect_with(billing.runtime.handle(), options);
    thief.subscribe("intercoms/who");
    thief.publish(WHO, false, "before");
    assert_eq!(gate_1.receive(WHO).payload, "before");
    let token_2 = add_panel(&billing, "gate-2");
    assert!(billing.token(&["revoke", "2"]).status.success());
    thief.publish(WHO, false, "after");
    assert!(!thief.is_granted("intercoms/who"));
    // The panel itself ends the thief's connection, and has a session of its own.
    let mut options = MqttOptions::new("gate-2", "127.0.0.1", billing.mqtt_port());
    options.set_credentials("gate-2", &token_2).set_clean_session(false);
    assert_eq!(session_of(&billing, options.clone()), Ok(false));
    assert_eq!(session_of(&billing, options.clone()), Ok(true));
    let mut gate_2 = Panel::connect_with(billing.runtime.handle(), options);
    gate_2.publish(WHO, false, "the panel");
    assert_eq!(gate_1.receive(WHO).payload, "the panel");
}

#[test]
fn the_first_token_ends_every_connection_without_one_and_forgets_its_session() {
    let billing = Running::start();
    let mut options = MqttOptions::new("gate-1", "127.0.0.1", billing.mqtt_port());
    options.set_clean_session(false);
    assert_eq!(session_of(&billing, options.clone()), Ok(false));
    assert_eq!(session_of(&billing, options.clone()), Ok(true));
    let (client, mut events) = AsyncClient::new(options.clone(), 10);
    client.try_subscribe("#", QoS::AtLeastOnce).expect("room");
    let until = |events: &mut EventLoop, is_wanted: &dyn Fn(&Polled) -> bool| {
        billing.runtime.block_on(async {
            let wanted = async { while !is_wanted(&events.poll().await) {} };
            tokio::time::timeout(LIMIT, wanted).await.expect("in time");
        });
    };
    until(&mut events, &|polled| matches!(polled, Ok(Event::Incoming(Packet::SubAck(_)))));
    let token = add_panel(&billing, "gate-1");
    until(&mut events, &|polled| polled.is_err());
    options.set_credentials("gate-1", &token);
    assert_eq!(session_of(&billing, options), Ok(false));
}

#[test]
fn a_connection_from_before_the_first_token_may_publish_nothing_after_it() {
    let billing = Running::start();
    let mut stranger = Panel::connect(billing.runtime.handle(), billing.mqtt_port(), "gate-1");
    let status = "intercoms/by-board/die-1/status";
    let of_stranger = report("unknown", "failed", "22:0D:CE:38:E7:15", "S").to_string();
    stranger.publish(status, false, of_stranger.clone());
    let arrived =
        |billing: &Running| -> i64 { billing.database.number("SELECT count(*) FROM reports") };
    billing.until("the report of before", |billing| arrived(billing) == 1);
    let of_gate_1 = ["--role", "panel", "--board", "gate-1"];
    let token = billing.add_first_token(&of_gate_1, || stranger.send(status, false, of_stranger));
    let mut gate_1 = panel(&billing, "gate-1", &token);
    assert!(gate_1.is_granted("intercoms/who"));
    assert_eq!(arrived(&billing), 1);
}
