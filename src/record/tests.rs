//! The record's form on disk, which every later version has to read.

use intercom_wire::json::read;

use super::Record;

/// Every word and every key at least once.
const RECORD: &str = r#"{
"format":1,"board":"die-0123","factory":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":"F-1"},
"current":{"mac":"22:0D:CE:38:E7:15","serial_number":null,"mac_origin":"placeholder","serial_origin":null},
"link_kept_in":"0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2",
"learnt_id":7,
"change":{
"cause":{"request_id":"r-2","hash":"e3b0","seq":4,"target":{"id":7,"mac":"22:0D:CE:38:E7:15","board":"die-0123"},
"model":"3516EV200","log_extra":{"some":["information",1.5,null]},"routes":["mqtt","http","billing"]},
"goal":"go_back","offline":false,
"from":{"mac":"22:0D:CE:38:E7:15","serial_number":"S-1","mac_origin":"random","serial_origin":"board"},
"to":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":"F-1","mac_origin":"request","serial_origin":"request"},
"boot_id":"0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2","deadline":181000,"attempts":2},
"outbox":[{"number":3,"report":{"id":7,"external_id":"e","department":"d","title":"t","mac":"22:0D:CE:38:E7:15",
"model":"3516EV200","serial_number":"S-1","status":"rolled_back","flat_from":1,"flat_to":9,"source":"auto-replace",
"group":{"id":1,"name":"g","external_id":null,"has_items":true},
"request_id":"r-1","board":"die-0123","target":{"id":7},"previous":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":"F-1"},
"factory":"unknown","reason":"why","log_extra":"x","message":"m","errors":{"new_mac":["one","two"]},
"outcomes_not_told":{"count":2,"first":"r-0","last":null}},"routes":["http"]}],
"next_parcel":4,
"ledger":{"entries":[{"request_id":null,"hash":"e3b0","report":{"id":null,"external_id":null,"department":null,
"title":null,"mac":null,"model":null,"serial_number":null,"status":null,"flat_from":null,"flat_to":null,"source":null,
"group":null,"request_id":null,"board":"die-0123","previous":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":null},
"factory":{"mac":"AA:BB:CC:DD:EE:FE","serial_number":null}}}],
"highest_seq":[[{"id":7},4],[{"mac":"22:0D:CE:38:E7:15"},9]]},
"recent_changes":[{"boot_id":"0b5fd1a8-7f60-4d0e-a4f6-3dc9a0b4e1f2","at":1000}],
"counters":{"delivered":1,"ignored":2,"repeated":3,"rejected":4,"confirmed":5,"begun":6,"installed":7,
"rolled_back":8,"failed":9,"reported":10,"unreported":11,"unclean_ends":12},
"last_good_time":1769860800,"outcomes_not_told":{"count":1,"first":null,"last":"r-0"}}"#;

#[test]
fn what_is_on_the_disk_is_read_and_written_as_it_is() {
    for record in [RECORD.replace('\n', ""), RECORD.replace('\n', "").replace("go_back", "install")]
    {
        let read: Record = read(record.as_bytes()).expect("a record");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), record);
    }
}

#[test]
fn what_an_earlier_version_did_not_write_may_be_missing() {
    let end = RECORD.find("\n\"last_good_time\"").expect("there");
    let earlier = format!("{}}}", RECORD[..end].trim_end_matches(','));
    let read: Record = read(earlier.as_bytes()).expect("a record");
    assert_eq!((read.last_good_time, read.outcomes_not_told), (None, None));
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let damaged = RECORD.replace("\"rolled_back\",\"flat", "7,\"flat");
    let unfit = read::<Record>(damaged.as_bytes()).expect_err("not a record");
    assert_eq!(unfit.to_string(), "`outbox.0.report.status` must be a text");
}
