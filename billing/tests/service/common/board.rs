//! A board on the broker: it says that it is there, with a new nonce each time, and answers when it is
//! asked.

use serde_json::{Value, json};

use super::Running;
use super::panel::Panel;

pub(crate) struct Board {
    panel: Panel,
    name: String,
    mac: String,
    serial_number: Option<String>,
    nonces: u32,
}

impl Board {
    /// Connects and says that it is there, until the service knows it.
    pub(crate) fn connect(billing: &Running, name: &str, mac: &str) -> Self {
        let mut board = Self::connect_to(billing, billing.mqtt_port(), name, mac);
        let mut database = billing.database.outside();
        billing.until("it is heard", |_| {
            // What was said before the service had asked everybody is not live for it, and it asks again.
            if board.panel.has_come(&board.topic("who")) {
                board.is_there();
            }
            let nonce = board.nonce();
            let heard =
                format!("SELECT count(*) FROM boards WHERE board = '{name}' AND nonce = '{nonce}'");
            database.number(&heard) == 1
        });
        board
    }

    /// Connects to another broker and says once that it is there.
    pub(crate) fn connect_to(billing: &Running, port: u16, name: &str, mac: &str) -> Self {
        let mut panel = Panel::connect(billing.runtime.handle(), port, name);
        for own in ["patch/#", "who"] {
            panel.subscribe(&format!("intercoms/by-board/{name}/{own}"));
        }
        panel.subscribe("intercoms/who");
        let (name, mac) = (name.to_owned(), mac.to_owned());
        let mut board = Board { panel, name, mac, serial_number: None, nonces: 0 };
        board.is_there();
        board
    }

    pub(crate) fn with_serial_number(mut self, serial_number: &str) -> Self {
        self.serial_number = Some(serial_number.to_owned());
        self.is_there();
        self
    }

    /// It carries another MAC address from now on.
    pub(crate) fn carries(&mut self, mac: &str) {
        mac.clone_into(&mut self.mac);
        self.is_there();
    }

    pub(crate) fn is_there(&mut self) {
        self.nonces += 1;
        let presence = json!({
            "state": "online", "board": self.name, "mac": self.mac,
            "serial_number": self.serial_number, "nonce": self.nonce(),
        });
        self.says("presence", true, &presence);
    }

    pub(crate) fn goes(&mut self) {
        self.says("presence", true, &json!({"state": "offline", "board": self.name}));
    }

    pub(crate) fn reports(&mut self, report: &Value) {
        self.says("status", false, report);
    }

    pub(crate) fn says(&mut self, what: &str, retain: bool, payload: &Value) {
        let topic = self.topic(what);
        self.panel.publish(&topic, retain, payload.to_string());
    }

    fn nonce(&self) -> String {
        format!("n-{}", self.nonces)
    }

    fn topic(&self, what: &str) -> String {
        format!("intercoms/by-board/{}/{what}", self.name)
    }

    /// The next message on a request's topic; whoever asks who is there is answered meanwhile.
    fn next(&mut self, request_id: &str) -> Vec<u8> {
        let wanted = self.topic(&format!("patch/{request_id}"));
        loop {
            let message = self.panel.next();
            assert!(!message.retain, "{} is retained", message.topic);
            if message.topic == wanted {
                return message.payload.to_vec();
            }
            if message.topic.ends_with("/who") {
                self.is_there();
            }
        }
    }

    /// The bytes of a request that answers the newest presence. Older answers are passed over.
    pub(crate) fn payload(&mut self, request_id: &str) -> Vec<u8> {
        loop {
            let payload = self.next(request_id);
            let nonce = self.nonce();
            match serde_json::from_slice::<Value>(&payload) {
                Ok(Value::Object(request)) if request["nonce"] != nonce => {}
                _ if payload.is_empty() => {}
                _ => return payload,
            }
        }
    }

    pub(crate) fn request(&mut self, request_id: &str) -> Value {
        serde_json::from_slice(&self.payload(request_id)).expect("JSON")
    }

    /// Waits for the word that the request is over.
    pub(crate) fn is_over(&mut self, request_id: &str) {
        while !self.next(request_id).is_empty() {}
    }

    /// Waits until somebody asks it who is there.
    pub(crate) fn is_asked(&mut self) {
        while !self.panel.next().topic.ends_with("/who") {}
    }
}
