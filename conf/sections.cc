#include "conf/sections.h"

#include <algorithm>
#include <charconv>

#include "conf/vocab/address.h"
#include "conf/vocab/logged_header.h"

namespace conf {

namespace {

constexpr uint32_t kMostRecipients = 10'000;  // of a message: what is done with one is done in few steps

bool parse_port(std::string_view text, uint16_t* port) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *port);
  return code == std::errc() && end == text.data() + text.size() && *port > 0;
}

// "host:port" with a default port; an IPv6 address stands in brackets when a port follows.
bool split_place(const std::string& text, std::string* host, uint16_t* port) {
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string::npos) return false;
    *host = text.substr(1, close - 1);
    const std::string rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && parse_port(std::string_view(rest).substr(1), port));
  }
  const size_t colon = text.find(':');
  if (colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) {
    *host = text;
    return !text.empty();
  }
  *host = text.substr(0, colon);
  return !host->empty() && parse_port(std::string_view(text).substr(colon + 1), port);
}

bool parse_network(const std::string& text, Network* out) {
  const size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  if (!parse_ip(address, &out->address)) return false;
  const bool v4 = address.find(':') == std::string::npos;
  unsigned bits = v4 ? 32 : 128;
  if (slash != std::string::npos) {
    const std::string_view count = std::string_view(text).substr(slash + 1);
    const auto [end, code] = std::from_chars(count.data(), count.data() + count.size(), bits);
    if (code != std::errc() || end != count.data() + count.size() || bits > (v4 ? 32U : 128U)) return false;
  }
  out->prefix_bits = static_cast<uint8_t>(v4 ? bits + 96 : bits);
  return true;
}

void read_masks(TableReader* reader, const char* key, std::vector<std::string>* out) {
  if (!reader->texts(key, out)) return;
  for (std::string& mask : *out) {
    if (mask.empty() || mask.find('@') != std::string::npos || mask.find(' ') != std::string::npos) {
      reader->report(
          key, "\"" + mask + "\" is not a mask on domains, such as \"example.com\" or \"*.example.com\"");
    }
    const bool plain = mask.find_first_of("*?") == std::string::npos;
    const Result<Domain> domain = plain ? Domain::parse(mask) : Result<Domain>(Domain::from_canonical(mask));
    if (domain.ok()) {
      mask = domain.value().text();
    } else {
      reader->report(key, "\"" + mask + "\": " + domain.error().detail);
    }
  }
}

void read_timeouts(TableReader* reader, Timeouts* out) {
  const Duration least(1000);
  reader->duration("connect_timeout", &out->connect, least);
  reader->duration("greeting_timeout", &out->greeting, least);
  reader->duration("ehlo_timeout", &out->ehlo, least);
  reader->duration("tls_timeout", &out->tls, least);
  reader->duration("mail_timeout", &out->mail, least);
  reader->duration("rcpt_timeout", &out->rcpt, least);
  reader->duration("data_timeout", &out->data_init, least);
  reader->duration("block_timeout", &out->data_block, least);
  reader->duration("dot_timeout", &out->data_done, least);
  reader->duration("quit_timeout", &out->quit, least);
  reader->duration("idle_timeout", &out->idle);
}

}  // namespace

bool is_field_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

bool is_ip(const std::string& text) {
  std::array<uint8_t, 16> ip{};
  return parse_ip(text, &ip);
}

bool parse_place(const std::string& text, std::string* address, uint16_t* port) {
  uint16_t found = 0;
  std::string host;
  if (!split_place(text, &host, &found) || found == 0 || !is_ip(host)) return false;
  *address = host;
  *port = found;
  return true;
}

bool read_smart_hosts(TableReader* reader, std::vector<SmartHost>* out) {
  std::vector<std::string> texts;
  if (!reader->texts("smart_hosts", &texts)) return false;
  std::vector<SmartHost> hosts;
  for (const std::string& text : texts) {
    SmartHost host;
    bool good = split_place(text, &host.host, &host.port);
    if (good && !is_ip(host.host)) {
      const Result<Domain> name = Domain::parse(host.host);
      good = name.ok();
      if (good) host.host = name.value().text();
    }
    if (!good) {
      reader->report("smart_hosts", "\"" + text +
                                        "\" is not a host: write \"relay.example.net\", "
                                        "\"relay.example.net:2525\" or \"[2001:db8::1]:25\"");
      return false;
    }
    hosts.push_back(std::move(host));
  }
  *out = std::move(hosts);
  return true;
}

namespace {

void read_leniency(TableReader* reader, Listener* out) {
  bool tolerant = false;
  reader->preset("tolerant", "by client");
  if (reader->flag("tolerant", &tolerant)) {
    out->tolerance = tolerant ? Tolerance::kTolerant : Tolerance::kStrict;
  }
  auto word = static_cast<size_t>(out->nul);
  if (reader->choice("nul", {"convert", "refuse"}, &word)) out->nul = static_cast<NulOctets>(word);
  reader->size("max_line", &out->max_line_bytes, 1000);  // RFC 5321 §4.5.3.1.6
  reader->number("max_hops", &out->max_hops, 10, 1'000);
}

}  // namespace

void read_listener(TableReader* reader, Listener* out) {
  reader->text("name", &out->name);
  std::string place;
  if (!reader->text("address", &place)) {
    if (!reader->has("address"))
      reader->report("address", "is missing; write for example address = \"127.0.0.1:25\"");
  } else if (!parse_place(place, &out->address, &out->port)) {
    reader->report(
        "address",
        "\"" + place + "\" is not an IP address with a port; write \"127.0.0.1:25\" or \"[::1]:25\"");
  }
  auto role = static_cast<size_t>(out->role);
  if (reader->choice("role", {"relay", "bounce"}, &role)) out->role = static_cast<ListenerRole>(role);
  reader->flag("implicit_tls", &out->implicit_tls);
  reader->flag("require_tls", &out->require_tls);
  reader->flag("auth", &out->auth);
  if (reader->flag("auth_required", &out->auth_required) && out->auth_required) out->auth = true;
  reader->flag("auth_without_tls", &out->auth_without_tls);
  std::vector<std::string> networks = {"127.0.0.0/8", "::1/128"};
  reader->texts("relay_from", &networks);
  for (const std::string& text : networks) {
    Network network;
    if (parse_network(text, &network)) {
      out->relay_from.push_back(network);
    } else {
      reader->report(
          "relay_from",
          "\"" + text + "\" is not a network; write \"192.0.2.0/24\", \"2001:db8::/32\" or an address");
    }
  }
  size_t newline = out->bare_newline == BareNewline::kRefuse ? 0 : 1;
  if (reader->choice("bare_newline", {"refuse", "convert"}, &newline)) {
    out->bare_newline = newline == 0 ? BareNewline::kRefuse : BareNewline::kConvert;
  }
  read_leniency(reader, out);
  reader->flag("add_missing_headers", &out->add_missing_headers);
  reader->size("max_message_size", &out->max_message_bytes, 65'536);  // RFC 5321 §4.5.3.1.7: at least 64 KiB
  reader->number("max_recipients", &out->max_recipients, 100, 100'000);
  if (out->max_recipients > kMostRecipients) {
    reader->report("max_recipients", "is 10000 at most; 10000 holds", true);
    out->max_recipients = kMostRecipients;
  }
  reader->number("max_connections", &out->max_connections, 1, 1'000'000);
  reader->number("max_connections_per_client", &out->max_connections_per_client, 1, 1'000'000);
  reader->number("max_errors", &out->max_errors, 1, 1'000'000);
  reader->number("max_messages_per_connection", &out->max_messages_per_connection, 0, 1'000'000'000);
  reader->duration("command_timeout", &out->command_timeout, Duration(1'000'000));
  reader->duration("message_timeout", &out->message_timeout, Duration(1'000'000));
  reader->flag("reject_early_talkers", &out->reject_early_talkers);
  reader->duration("greeting_delay", &out->greeting_delay);
  read_quarantine_action(reader, "quarantine", &out->quarantine);
  if (out->auth && !out->auth_without_tls && out->name.empty()) out->name = place;
  reader->finish();
}

void read_user(TableReader* reader, User* out) {
  reader->text("name", &out->name);
  reader->text("secret", &out->secret_hash);
  if (out->name.empty()) reader->report("name", "is missing");
  if (out->secret_hash.empty()) {
    reader->report("secret", "is missing; `penstock hash-password` makes one");
  } else if (out->secret_hash.front() != '$') {
    reader->report(
        "secret",
        "is a hash such as \"$y$...\", never the password itself; `penstock hash-password` makes one");
  }
  read_senders(reader, &out->senders);
  reader->number("messages_per_hour", &out->messages_per_hour, 0, 1'000'000'000);
  reader->finish();
}

void read_source(TableReader* reader, Source* out) {
  reader->text("name", &out->name);
  if (reader->text("address", &out->address) && !out->address.empty() && !is_ip(out->address)) {
    reader->report("address", "\"" + out->address + "\" is not an IP address");
  }
  if (reader->text("ehlo", &out->ehlo)) {
    const Result<Domain> name = Domain::parse(out->ehlo);
    if (!name.ok()) reader->report("ehlo", name.error().detail);
  }
  reader->number("id", &out->id, 1, 1'000'000'000);
  reader->flag("warmup", &out->warmup);
  reader->number("weight", &out->weight, 0, 1'000'000);
  read_masks(reader, "include_domains", &out->include_domains);
  read_masks(reader, "exclude_domains", &out->exclude_domains);
  if (out->name.empty()) reader->report("name", "is missing: the log and the queue show it");
  reader->finish();
}

void read_destination_settings(TableReader* reader, DestinationSettings* out) {
  read_smart_hosts(reader, &out->smart_hosts);
  uint32_t port = out->port;
  reader->number("port", &port, 1, 65535);
  out->port = static_cast<uint16_t>(port);
  auto mode = static_cast<size_t>(out->tls);
  if (reader->choice("tls", {"off", "opportunistic", "required"}, &mode))
    out->tls = static_cast<TlsMode>(mode);
  reader->flag("tls_verify", &out->tls_verify);
  reader->flag("tls_fallback", &out->tls_fallback_to_clear);
  if (out->tls_verify && out->tls != TlsMode::kRequired) {
    reader->report("tls_verify",
                   "needs tls = \"required\": a handshake that may fall back to clear text proves nothing");
  }
  reader->number("max_connections", &out->max_connections, 1, 100'000);
  reader->number("max_messages_per_connection", &out->max_messages_per_connection, 0, 1'000'000'000);
  reader->number("max_recipients", &out->max_recipients_per_transaction, 1, 100'000);
  reader->flag("pipelining", &out->pipelining);
  reader->flag("chunking", &out->chunking);
  reader->flag("failure_reports", &out->failure_reports);
  reader->duration("delay_report_after", &out->delay_report_after);
  reader->flag("delay_reports", &out->delay_reports);
  read_peer_settings(reader, !out->smart_hosts.empty(), &out->peer);
  read_timeouts(reader, &out->timeouts);
  read_retry(reader, &out->retry);
}

void read_dns(TableReader* reader, DnsSettings* out) {
  if (reader->texts("servers", &out->servers)) {
    for (const std::string& server : out->servers) {
      std::string host;
      uint16_t port = 53;
      if (!split_place(server, &host, &port) || !is_ip(host)) {
        reader->report(
            "servers",
            "\"" + server + "\" is not an IP address with or without a port, such as \"192.0.2.53\"");
      }
    }
  }
  reader->duration("timeout", &out->timeout, Duration(10'000));
  reader->number("tries", &out->tries, 1, 20);
  reader->number("cache_entries", &out->cache_entries, 0, 100'000'000);
  reader->duration("max_ttl", &out->max_ttl);
  reader->duration("min_ttl", &out->min_ttl);
  reader->duration("max_negative_ttl", &out->max_negative_ttl);
  reader->flag("ipv6", &out->ipv6);
  reader->flag("allow_private_targets", &out->allow_private_targets);
  if (out->min_ttl > out->max_ttl) reader->report("min_ttl", "is longer than max_ttl");
  reader->finish();
}

void read_spool(TableReader* reader, SpoolSettings* out) {
  if (reader->text("path", &out->path) && out->path.empty()) reader->report("path", "is empty");
  auto durability = static_cast<size_t>(out->durability);
  if (reader->choice("durability", {"sync", "relaxed"}, &durability))
    out->durability = static_cast<Durability>(durability);
  reader->size("reserve", &out->reserve_bytes);
  reader->size("body_memory", &out->body_memory_bytes, 1'000'000);
  uint32_t most = static_cast<uint32_t>(out->max_messages);
  reader->number("max_messages", &most, 1, 4'000'000'000U);
  out->max_messages = most;
  reader->finish();
}

void read_log(TableReader* reader, LogSettings* out, std::vector<std::string>* fields) {
  if (reader->text("path", &out->path) && out->path.empty()) reader->report("path", "is empty");
  reader->size("rotate_size", &out->rotate_bytes);
  if (out->rotate_bytes != 0 && out->rotate_bytes < 100'000)
    reader->report("rotate_size", "too small: at least 100kB, or 0 for never");
  reader->number("keep", &out->keep, 0, 10'000);
  if (reader->texts("header_fields", fields)) {
    for (const std::string& name : *fields) {
      if (!is_field_name(name))
        reader->report("header_fields",
                       "\"" + name + "\" is not the name of a header field, such as \"X-Campaign\"");
    }
    if (fields->size() > LoggedHeader::kMostFields)
      reader->report("header_fields", "has more than " + std::to_string(LoggedHeader::kMostFields) +
                                          " names: each stands in every line about a message");
  }
  reader->finish();
}

}  // namespace conf
