#include <algorithm>

#include "conf/sections.h"
#include "conf/vocab/ascii.h"

namespace conf {

namespace {

constexpr size_t kLongestPrefix = 26;  // with '+' and a token the 64 octets of RFC 5321 §4.5.3.1.1

bool is_prefix(std::string_view text) {
  return !text.empty() && text.size() <= kLongestPrefix && std::ranges::all_of(text, [](char c) {
    const char folded = ascii_lower(c);
    return (folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

const char* to_text(VerpGrade grade) {
  switch (grade) {
    case VerpGrade::kOff:
      return "off";
    case VerpGrade::kMessage:
      return "message";
    case VerpGrade::kDomain:
      return "domain";
    case VerpGrade::kRecipient:
      return "recipient";
  }
  return "off";
}

const ReturnPathSettings* ReturnsSettings::path_for(const Mailbox& reverse_path) const {
  if (reverse_path.is_null()) return nullptr;
  for (const ReturnPathSettings& each : paths) {
    const auto matches = [&](const std::string& mask) {
      return domain_matches(mask, reverse_path.domain.text());
    };
    if (each.senders.empty() || std::ranges::any_of(each.senders, matches))
      return each.verp == VerpGrade::kOff ? nullptr : &each;
  }
  return nullptr;
}

bool ReturnsSettings::takes(const Mailbox& recipient) const {
  const auto ours = [&](const ReturnPathSettings& each) {
    if (each.domain != recipient.domain.text()) return false;
    const std::string_view local = recipient.local;
    if (equal_ignoring_case(local, "postmaster")) return true;  // RFC 5321 §4.5.1
    if (local.size() < each.prefix.size() ||
        !equal_ignoring_case(local.substr(0, each.prefix.size()), each.prefix))
      return false;
    return local.size() == each.prefix.size() || local[each.prefix.size()] == '+';
  };
  if (std::ranges::any_of(paths, ours)) return true;
  if (recipient.domain.empty()) return !recipient.local.empty();  // <postmaster>
  const std::string text = recipient.text();
  return std::ranges::any_of(feedback,
                             [&](const std::string& each) { return equal_ignoring_case(each, text); });
}

namespace {

void read_returns(TableReader* reader, ReturnsSettings* out) {
  reader->text("keys", &out->keys);
  reader->duration("life", &out->life, Duration(24h));
  if (reader->text("header", &out->header) && !out->header.empty() && !is_field_name(out->header))
    reader->report("header",
                   "\"" + out->header + "\" is not the name of a header field, such as \"X-Penstock-Token\"");
  reader->flag("message_id", &out->message_id);
  if (reader->texts("feedback", &out->feedback)) {
    for (std::string& text : out->feedback) {
      const Result<Mailbox> mailbox = Mailbox::parse(text);
      if (mailbox.ok()) {
        text = mailbox.value().text();
      } else {
        reader->report("feedback", "\"" + text + "\": " + mailbox.error().detail);
      }
    }
  }
  reader->text("path", &out->path);
  reader->texts("watch", &out->watch);
  if (reader->text("unmatched", &out->unmatched) &&
      (out->unmatched == out->path || std::ranges::find(out->watch, out->unmatched) != out->watch.end()))
    reader->report("unmatched", "is a Maildir that is read: what comes there would be read again and again");
  reader->duration("poll", &out->poll, Duration(1s));
  reader->duration("keep", &out->keep);
  reader->number("queue", &out->queue, 1, 1'000'000);
  auto word = static_cast<size_t>(out->unsigned_reports);
  if (reader->choice("unsigned_reports", {"off", "show", "count"}, &word))
    out->unsigned_reports = static_cast<UnsignedReports>(word);
  reader->number("remembered", &out->remembered, 1000, 100'000'000);
  reader->flag("remember_signed", &out->remember_signed);
  reader->flag("count_late", &out->count_late);
  reader->finish();
}

void read_return_path(TableReader* reader, ReturnPathSettings* out) {
  reader->texts("senders", &out->senders);
  if (reader->text("domain", &out->domain)) {
    const Result<Domain> domain = Domain::parse(out->domain);
    if (domain.ok() && !domain.value().is_literal()) {
      out->domain = domain.value().text();
    } else {
      reader->report("domain", "\"" + out->domain + "\" is not a domain: " +
                                   (domain.ok() ? "it is an address" : domain.error().detail));
    }
  } else if (!reader->has("domain")) {
    reader->report("domain", "is missing: where does mail come back to? domain = \"return.example.com\"");
  }
  if (reader->text("prefix", &out->prefix) && !is_prefix(out->prefix))
    reader->report("prefix", "\"" + out->prefix +
                                 "\": write at most 26 letters, digits, '-' and '_', such as \"bounces\"");
  auto word = static_cast<size_t>(out->verp);
  if (reader->choice("verp", {"off", "message", "domain", "recipient"}, &word))
    out->verp = static_cast<VerpGrade>(word);
  reader->finish();
}

}  // namespace

void read_all_returns(TableReader* root, ReturnsSettings* out) {
  TableReader returns = root->inner(root->table("returns"), "[returns]");
  read_returns(&returns, out);
  for (const toml::table* table : root->tables("return_path")) {
    TableReader reader = root->inner(table, "[[return_path]]");
    ReturnPathSettings path;
    read_return_path(&reader, &path);
    out->paths.push_back(std::move(path));
  }
  for (const toml::table* table : root->tables("return_mailbox")) {
    TableReader reader = root->inner(table, "[[return_mailbox]]");
    ReturnMailbox mailbox;
    read_return_mailbox(&reader, &mailbox);
    for (const ReturnMailbox& other : out->mailboxes) {
      if (other.place == mailbox.place && other.login == mailbox.login)
        reader.report("url", "is polled by another [[return_mailbox]] already");
    }
    out->mailboxes.push_back(std::move(mailbox));
  }
  if (!out->paths.empty() && out->keys.empty())
    returns.report("keys",
                   "is missing: [[return_path]] needs a file of keys that sign the return paths; "
                   "docs/returns.md says how to make one");
}

}  // namespace conf
