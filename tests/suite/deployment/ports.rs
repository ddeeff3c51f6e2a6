//! What the functions connect to, the security groups let through, on both sides.

use serde_json::Value;
use tests::stack::Stack;

/// Of `ElastiCache` Serverless: all slots, and reads. A cluster's client may connect to whatever is announced.
const ANNOUNCED: [u64; 2] = [6379, 6380];

fn lets_through(properties: &Value, from: &str, port: u64) -> bool {
    let bound = |name: &str| properties[name].as_u64().expect("a port");
    properties["IpProtocol"] == "tcp"
        && properties.get(from).is_some()
        && (bound("FromPort")..=bound("ToPort")).contains(&port)
}

#[test]
fn every_port_that_the_cache_announces_is_open_from_the_functions_to_the_cache() {
    let stack = Stack::new();
    let of = |kind: &str| -> Vec<Value> {
        let resources = stack.resources();
        resources.into_iter().filter(|(_, r)| r["Type"] == kind).map(|(_, r)| r["Properties"].clone()).collect()
    };
    let (out, into) = (of("AWS::EC2::SecurityGroupEgress"), of("AWS::EC2::SecurityGroupIngress"));
    for port in ANNOUNCED {
        let leaves = out.iter().any(|rule| lets_through(rule, "DestinationSecurityGroupId", port));
        let arrives = into.iter().any(|rule| lets_through(rule, "SourceSecurityGroupId", port));
        assert!(leaves && arrives, "{port}: out {leaves}, in {arrives}");
    }
    assert!(!out.iter().any(|rule| lets_through(rule, "DestinationSecurityGroupId", 6381)), "and no other");
}
