"""Rules that send mail by way of smart hosts: decided by the recipient domain, or by the MX hosts and the source."""
from harness import wait_until
from mx_threshold import ask
from receivers import load

RULES = '''
[[source]]
name = "s11"
address = "127.0.0.11"
[[source]]
name = "s12"
address = "127.0.0.12"
weight = 1
include_domains = ["other.test"]
[[rule]]
name = "by-domain"
domains = ["nowhere.test"]
smart_hosts = ["127.0.0.1:{by_domain}"]
[[rule]]
name = "by-host"
mx = ["mx.provider.test"]
sources = "1"
smart_hosts = ["127.0.0.1:{by_host}"]
'''


def taken(ids):
    return len(ids.read_text().splitlines()) if ids.exists() else 0


def smart_hosts(lab):
    """nowhere.test does not exist, yet its rule knows the way; provider.test is known by its MX; plain.test has no rule."""
    _, mx_port, mx_ids = lab.sink("mx")
    _, by_domain, domain_ids = lab.sink("by-domain")
    _, by_host, host_ids = lab.sink("by-host")
    lab.dns(["mx.provider A 127.0.0.1", "provider MX 10 mx.provider", "other MX 10 mx.provider", "mx.plain A 127.0.0.1",
             "plain MX 10 mx.plain"])
    lab.write_config(defaults=f"port = {mx_port}\n", tail=RULES.format(by_domain=by_domain, by_host=by_host))
    lab.serve()
    for domain in ("nowhere.test", "provider.test", "plain.test"):
        load(lab, 40, domain, "--prefix", domain.split(".")[0])
    wait_until(lambda: len(lab.events("delivered")) == 120, 30, "not all was delivered")
    assert (taken(domain_ids), taken(host_ids), taken(mx_ids)) == (40, 40, 40)
    told = ask(lab, "explain", "someone@provider.test")
    assert [path["rule"] for path in told["paths"]] == ["by-host"], told
    assert told["paths"][0]["site"] == f"127.0.0.1:{by_host}", told
    assert [path["rule"] for path in ask(lab, "explain", "someone@nowhere.test")["paths"]] == ["by-domain"]
    # A smart host that is gone: the mail waits for it, and does not go to the MX hosts.
    before = taken(mx_ids)
    lab.processes[2].stop()
    load(lab, 5, "provider.test", "--prefix", "later")
    wait_until(lambda: any(site["ready"] == 5 for site in lab.queue("summary")["sites"]), 20, "the mail does not wait")
    assert taken(mx_ids) == before
