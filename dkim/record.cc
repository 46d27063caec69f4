#include "dkim/record.h"

#include <algorithm>
#include <map>

#include "conf/vocab/text.h"

namespace dkim {

namespace {

constexpr size_t kStringOctets = 255;

const char* kind_of(const PrivateKey& key) {
  return key.algorithm() == Algorithm::kRsaSha256 ? "rsa" : "ed25519";
}

// "tag=value; tag=value" (RFC 6376 §3.2). False when a part has no "=" or a tag stands twice.
bool parse_tags(std::string_view text, std::map<std::string, std::string, std::less<>>* tags) {
  while (!conf::trimmed(text).empty()) {
    const size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = conf::trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) return false;
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string name(conf::trimmed(part.substr(0, equals)));
    if (!tags->emplace(name, conf::trimmed(part.substr(equals + 1))).second) return false;
  }
  return true;
}

// Whether a colon-separated list has one of the two words.
bool list_has(std::string_view list, std::string_view word, std::string_view other) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(':'), list.size());
    const std::string_view each = conf::trimmed(list.substr(0, end));
    if (each == word || each == other) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

conf::Error differs(std::string why) { return {conf::ErrorCode::kInvalid, std::move(why)}; }

}  // namespace

std::string record_name(std::string_view selector, std::string_view domain) {
  return std::string(selector).append("._domainkey.").append(domain);
}

std::string record_text(const PrivateKey& key) {
  return std::string("v=DKIM1; k=") + kind_of(key) + "; p=" + key.public_text();
}

std::string zone_line(std::string_view selector, std::string_view domain, const PrivateKey& key) {
  std::string line = record_name(selector, domain) + ". IN TXT (";
  const std::string text = record_text(key);
  for (size_t at = 0; at < text.size(); at += kStringOctets)
    line += " \"" + text.substr(at, kStringOctets) + "\"";
  return line + " )";
}

conf::Status compare_record(std::string_view text, const PrivateKey& key) {
  std::map<std::string, std::string, std::less<>> tags;
  if (!parse_tags(text, &tags)) return differs("the record is not a list of tags");
  const auto tag = [&tags](std::string_view name, const char* absent) {
    const auto found = tags.find(name);
    return found == tags.end() ? std::string(absent) : found->second;
  };
  if (tag("v", "DKIM1") != "DKIM1") return differs("the record has v=" + tag("v", "") + ", not v=DKIM1");
  if (tag("k", "rsa") != kind_of(key))
    return differs("the record has a key of the kind " + tag("k", "rsa") + ", ours is " + kind_of(key));
  if (!list_has(tag("h", "sha256"), "sha256", "sha256"))
    return differs("the record does not allow sha256 (h=)");
  if (!list_has(tag("s", "*"), "*", "email")) return differs("the record is not for mail (s=)");
  std::string published = tag("p", "");
  std::erase_if(published, [](char c) { return conf::kBlanks.find(c) != conf::kBlanks.npos; });
  if (tags.find("p") == tags.end()) return differs("the record has no key (p=)");
  if (published.empty()) return differs("the record is revoked (its p= is empty)");
  if (published != key.public_text()) return differs("the record has another public key");
  return conf::success();
}

bool valid_selector(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!letter && (before == '.' || (c != '-' && c != '.'))) return false;
    before = c;
  }
  return !text.empty() && text.size() <= 200 && before != '.' && before != '-';
}

}  // namespace dkim
