#include "conf/sections.h"
#include "conf/vocab/address.h"
#include "conf/vocab/ascii.h"

namespace conf {

namespace {

void read_names(TableReader* reader, const char* key, std::vector<std::string>* out) {
  if (!reader->texts(key, out)) return;
  for (const std::string& name : *out) {
    // A ';' would end the list in the signature (RFC 6376 §3.2).
    if (!is_field_name(name) || name.find(';') != std::string::npos)
      reader->report(key, "\"" + name + "\" is not the name of a header field, such as \"List-Id\"");
    // RFC 6376 §5.4: fields that relays change on the way.
    for (const char* never : {"Received", "Return-Path", "DKIM-Signature"}) {
      if (equal_ignoring_case(name, never))
        reader->report(key, std::string(never) + " must not be signed: relays on the way add or change it");
    }
  }
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  for (const std::string& each : names) {
    if (equal_ignoring_case(each, name)) return true;
  }
  return false;
}

void read_options(TableReader* reader, DkimOptions* out) {
  auto word = static_cast<size_t>(out->header);
  if (reader->choice("header_canonicalization", {"simple", "relaxed"}, &word))
    out->header = static_cast<Canonicalization>(word);
  word = static_cast<size_t>(out->body);
  if (reader->choice("body_canonicalization", {"simple", "relaxed"}, &word))
    out->body = static_cast<Canonicalization>(word);
  read_names(reader, "headers", &out->headers);
  read_names(reader, "oversign", &out->oversign);
  if (!has(out->headers, "From") && !has(out->oversign, "From"))
    reader->report("headers", "\"From\" must be signed (RFC 6376 section 5.4)");
  reader->duration("expire", &out->expire);
  if (out->expire.count() > 0 && out->expire < Duration(1h))
    reader->report(
        "expire", "is too short: mail waits longer than that in queues; at least \"1h\", or \"0s\" for none");
}

bool is_selector(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!word && (before == '.' || (c != '-' && c != '.'))) return false;
    before = c;
  }
  return !text.empty() && before != '.' && before != '-';
}

// i= must lie in the domain that signs (RFC 6376 §3.5).
bool within(std::string_view identity, std::string_view domain) {
  const size_t at = identity.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::string_view part = identity.substr(at + 1);
  if (equal_ignoring_case(part, domain)) return true;
  return part.size() > domain.size() + 1 && part[part.size() - domain.size() - 1] == '.' &&
         equal_ignoring_case(part.substr(part.size() - domain.size()), domain);
}

}  // namespace

void read_dkim(TableReader* reader, DkimSettings* out) {
  auto word = static_cast<size_t>(out->engine);
  if (reader->choice("engine", {"evp", "opendkim"}, &word)) out->engine = static_cast<DkimEngine>(word);
  reader->number("workers", &out->workers, 0, 256);
  reader->number("queue", &out->queue, 1, 10'000'000);
  reader->share("self_check", &out->self_check);
  word = static_cast<size_t>(out->without_signature);
  if (reader->choice("without_signature", {"send", "defer"}, &word))
    out->without_signature = static_cast<WithoutSignature>(word);
  reader->duration("signature_age", &out->signature_age);
  if (reader->text("default_domain", &out->default_domain)) {
    const Result<Domain> domain = Domain::parse(out->default_domain);
    if (domain.ok()) {
      out->default_domain = domain.value().text();
    } else {
      reader->report("default_domain", domain.error().detail);
    }
  }
  read_options(reader, &out->options);
  reader->finish();
}

void read_dkim_key(TableReader* reader, DkimKey* out) {
  out->line = reader->line();
  out->column = 1;
  if (!reader->text("domain", &out->domain)) {
    if (!reader->has("domain"))
      reader->report("domain", "is missing: whose mail does this key sign? domain = \"example.com\"");
  } else {
    const bool wild = out->domain.rfind("*.", 0) == 0;
    const Result<Domain> domain = Domain::parse(out->domain.substr(wild ? 2 : 0));
    if (domain.ok()) {
      out->domain = (wild ? "*." : "") + std::string(domain.value().text());
    } else {
      reader->report("domain", domain.error().detail);
    }
  }
  if (!reader->text("selector", &out->selector)) {
    if (!reader->has("selector"))
      reader->report("selector", "is missing: the name of the record below _domainkey, such as \"mail2026\"");
  } else if (!is_selector(out->selector)) {
    reader->report("selector",
                   "\"" + out->selector + "\" is not a selector: letters, digits, hyphens and dots");
  }
  if (!reader->text("file", &out->file) && !reader->has("file"))
    reader->report("file", "is missing: the PEM file of the private key; penstock dkim keygen makes one");
  reader->flag("subdomains", &out->subdomains);
  reader->flag("wait_for_record", &out->wait_for_record);
  if (reader->text("identity", &out->options.identity)) {
    if (out->domain.rfind("*.", 0) == 0) {
      reader->report("identity", "cannot be set with a wildcard domain");
    } else if (!within(out->options.identity, out->domain)) {
      reader->report("identity", "\"" + out->options.identity + "\" does not lie in " + out->domain +
                                     "; such as \"@" + out->domain + "\"");
    }
  }
  if (out->wait_for_record && out->domain.rfind("*.", 0) == 0)
    reader->report("wait_for_record",
                   "cannot be set with a wildcard domain: there is not one record to look for");
  read_options(reader, &out->options);
  reader->finish();
}

}  // namespace conf
