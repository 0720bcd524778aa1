import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLoopback, networkOf } from "./network.ts";

describe("networkOf", () => {
  it("is one address of IPv4, also where it is written as IPv6", () => {
    for (const address of ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:192.0.2.1"])
      assert.equal(networkOf(address), "192.0.2.1");
    assert.notEqual(networkOf("192.0.2.1"), networkOf("192.0.2.2"));
  });

  it("is a whole /64 of IPv6, however an address of it is written", () => {
    const same = [
      ...[
        "2001:db8:0:7::1",
        "2001:db8:0:7::",
        "2001:0db8:0000:0007:0000:0000:0000:0001",
        "2001:DB8:0:7:ffff:ffff:ffff:ffff",
      ],
      ...["2001:db8::7:1:2:3:4", "2001:db8:0:7::1%eth0"],
    ];
    for (const address of same) assert.equal(networkOf(address), "2001:db8:0:7::/64", address);
    for (const other of ["2001:db8:0:8::1", "2001:db8:1:7::1", "::7", "fe80::7"]) {
      assert.notEqual(networkOf(other), "2001:db8:0:7::/64", other);
    }
    assert.equal(networkOf("::"), "0:0:0:0::/64");
  });
});

describe("isLoopback", () => {
  it("knows this machine from all others", () => {
    for (const own of ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"])
      assert.equal(isLoopback(own), true, own);
    for (const other of [
      "128.0.0.1",
      "10.0.0.1",
      "192.168.0.1",
      "fe80::1",
      "2001:db8::1",
      "::ffff:10.0.0.1",
      "::",
      "::2",
      "::10.0.0.1",
    ]) {
      assert.equal(isLoopback(other), false, other);
    }
  });
});
