// The sections of the configuration, one function each. For this folder.
#pragma once

#include <vector>

#include "conf/config.h"
#include "conf/table_reader.h"

namespace conf {

void read_listener(TableReader* reader, Listener* out);
void read_intake(TableReader* reader, const std::vector<Listener>& listeners, IntakeSettings* out);
void read_user(TableReader* reader, User* out);
// Masks of conf::sender_matches(). False: absent, or wrong.
bool read_senders(TableReader* reader, std::vector<std::string>* out);
void read_source(TableReader* reader, Source* out);
// All [[stream]], when listeners, users and sources are read.
void read_streams(TableReader* root, Config* config);
// The keys that [defaults] and [[destination]] share. finish() is the caller's.
void read_destination_settings(TableReader* reader, DestinationSettings* out);
// `smart_hosts`: the destination has some.
void read_peer_settings(TableReader* reader, bool smart_hosts, PeerSettings* out);
void read_login(TableReader* reader, Login* out);
void read_dns(TableReader* reader, DnsSettings* out);
void read_spool(TableReader* reader, SpoolSettings* out);
void read_log(TableReader* reader, LogSettings* out, std::vector<std::string>* fields);
// Absent or wrong: false, and `*out` stays.
bool read_schedule(TableReader* reader, std::vector<Duration>* out);
// schedule, retry, schedule_by_reason, first_tries, validity and jitter of [defaults] or [[destination]].
void read_retry(TableReader* reader, RetrySchedule* out);
bool read_smart_hosts(TableReader* reader, std::vector<SmartHost>* out);
bool read_tls_start(TableReader* reader, TlsStart* out);
bool read_tls_min(TableReader* reader, TlsVersion* out);
// All [[rule]] of a file, in their order.
std::vector<MxRule> read_rules(TableReader* root, const std::string& file);
// `out->quarantine` holds what [quarantine] action says when the listener is read.
bool read_quarantine_action(TableReader* reader, const char* key, QuarantineAction* out);
void read_quarantine(TableReader* reader, QuarantineSettings* out);
void read_replies(TableReader* reader, RepliesSettings* out);
void read_outage_guard(TableReader* reader, OutageGuardSettings* out);
// [returns], all [[return_path]] and all [[return_mailbox]].
void read_all_returns(TableReader* root, ReturnsSettings* out);
void read_return_mailbox(TableReader* reader, ReturnMailbox* out);
// Why the login cannot be used for the mailbox, for people; empty: it can.
std::string why_unfit(const ReturnMailbox& mailbox, const Login& login);
void read_dkim(TableReader* reader, DkimSettings* out);
// `out->options` holds what [dkim] says.
void read_dkim_key(TableReader* reader, DkimKey* out);

// The name of a header field (RFC 5322 §2.2).
bool is_field_name(std::string_view text);
// "127.0.0.1:25", "[::1]:25"; false when it is not of this form or the host is not an IP address.
bool parse_place(const std::string& text, std::string* address, uint16_t* port);
bool is_ip(const std::string& text);

}  // namespace conf
