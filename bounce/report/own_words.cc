#include "bounce/report/own_words.h"

#include <algorithm>

#include "bounce/report/address_text.h"
#include "bounce/report/diagnostic_text.h"
#include "bounce/report/recipient_words.h"
#include "bounce/report/text.h"
#include "bounce/report/transcript.h"

namespace bounce::report {
namespace {

constexpr size_t kLines = 2000;
constexpr size_t kKept = 4096;         // octets of a recipient
constexpr size_t kNamedTogether = 20;  // in one line

size_t indent_of(std::string_view line) { return std::min(line.find_first_not_of(" \t"), line.size()); }

std::string_view local_part(std::string_view address) { return address.substr(0, address.rfind('@')); }

// Behind the code and the status that a reply begins with.
std::string_view behind_codes(std::string_view bare) {
  size_t length = 0;
  if (leading_code(bare, &length) != 0) bare = trimmed(bare.substr(length));
  const std::string status = find_status(bare.substr(0, 12));
  if (!status.empty() && bare.starts_with(status)) bare = trimmed(bare.substr(status.size()));
  return bare;
}

}  // namespace

bool has_words(std::string_view diagnostic) {
  size_t letters = 0;
  AddressSpan span;
  size_t at = 0;
  while (at < diagnostic.size()) {
    const bool address = find_address(diagnostic, at, &span);
    const std::string_view words = diagnostic.substr(at, (address ? span.begin : diagnostic.size()) - at);
    letters += static_cast<size_t>(std::count_if(
        words.begin(), words.end(), [](char c) { return is_letter(c) || static_cast<signed char>(c) < 0; }));
    at = address ? span.end : diagnostic.size();
  }
  return letters >= 8;
}

std::string_view local_name(std::string_view line) {
  const std::string_view bare = trimmed(line);
  const std::string_view said = behind_codes(bare);
  const size_t dots = said.find("... ");
  if (dots == kNowhere || dots == 0 || (said.size() == bare.size() && said.front() != '<')) return {};
  const std::string_view name = without_ends(said.substr(0, dots));
  return name.find_first_of(" @") == kNowhere ? name : std::string_view();
}

OwnWords::OwnWords(std::string_view text, const std::vector<Recipient>& recipients)
    : words_(recipients.size()) {
  for (size_t i = 0; i < recipients.size(); ++i) add_name(recipients[i].address, i, &slots_);
  // What several stand for, as a list does, says nothing of one.
  Slots originals;
  for (size_t i = 0; i < recipients.size(); ++i) {
    const auto same = slots_.find(conf::ascii_lower(recipients[i].address));
    add_name(recipients[i].original_address, same == slots_.end() ? i : same->second, &originals);
  }
  for (const auto& [address, slot] : originals) {
    if (slot != kNowhere) slots_.emplace(address, slot);
  }
  for (const auto& [address, slot] : slots_) {
    const auto local = locals_.emplace(local_part(address), slot).first;
    if (local->second != slot) local->second = kNowhere;
  }
  LineReader lines(text);
  std::string_view line;
  for (size_t i = 0; i < kLines && lines.next(&line); ++i) look_at(line);
}

void OwnWords::add_name(const std::string& address, size_t slot, Slots* slots) {
  if (address.find('@') == kNowhere) return;
  const auto there = slots->emplace(conf::ascii_lower(address), slot).first;
  if (slots != &slots_ && there->second != slot) there->second = kNowhere;
}

size_t OwnWords::slot_of(std::string_view address) const {
  const auto slot = slots_.find(conf::ascii_lower(address));
  return slot == slots_.end() ? kNowhere : slot->second;
}

size_t OwnWords::own_slot(const Recipient& recipient) const {
  const size_t slot = slot_of(recipient.address);
  return slot == kNowhere ? slot_of(recipient.original_address) : slot;
}

std::string_view OwnWords::of(const Recipient& recipient) const {
  const size_t slot = own_slot(recipient);
  return slot == kNowhere ? std::string_view() : words_[slot];
}

bool OwnWords::names_another(const Recipient& recipient, std::string_view text) const {
  const size_t own = own_slot(recipient);
  AddressSpan span;
  for (size_t at = 0, i = 0; i < kNamedTogether && find_address(text, at, &span); at = span.end, ++i) {
    const size_t slot = slot_of(text.substr(span.begin, span.end - span.begin));
    if (slot != kNowhere && slot != own) return true;
  }
  return false;
}

void OwnWords::look_at(std::string_view line) {
  const std::string_view bare = trimmed(line);
  if (bare.empty()) {
    // A name alone leads to what stands below the gap; several of them leave open whose that is.
    if ((told_ && !leads_on_) || names_alone_ > 1) close();
    return;
  }
  std::vector<size_t> named;
  AddressSpan span;
  for (size_t at = 0; named.size() < kNamedTogether && find_address(line, at, &span); at = span.end) {
    const size_t slot = slot_of(line.substr(span.begin, span.end - span.begin));
    if (slot == kNowhere) continue;
    if (std::find(named.begin(), named.end(), slot) == named.end()) named.push_back(slot);
  }
  if (const std::string_view name = local_name(bare); named.empty() && !name.empty()) {
    const auto local = locals_.find(conf::ascii_lower(name));
    if (local == locals_.end() || local->second == kNowhere) return close();
    named.push_back(local->second);
  }
  if (repeats_header(bare)) {
    if (named.size() > 1) close();
    if (named.size() != 1) return;
  }
  if ((is_rule_line(bare) || bare.starts_with("***")) && named.empty()) return close();
  if (contains_folded(bare, "talking to ") && named.empty()) {
    close();
    talking_ = line;
    return;
  }
  if (!named.empty()) {
    const bool alone = !has_words(bare);
    names_alone_ = alone ? names_alone_ + 1 : 0;
    told_ = !alone;
    indent_ = indent_of(line);
    owners_ = std::move(named);
    if (!read_session(line, true)) append(line);
  } else if (!read_session(line, false)) {
    if (is_about_another(line)) return close();
    append(line);
    told_ = told_ || !owners_.empty();
    names_alone_ = 0;
  }
  leads_on_ = bare.back() == ':';
}

// Lines of a session: a reply answers the command before it, and only once. False: it is none.
bool OwnWords::read_session(std::string_view line, bool names) {
  const std::string_view said = session_line(line);
  const uint16_t refusal = leading_code(said.empty() ? trimmed(line) : said, nullptr);
  if (said.empty()) {
    // "550 5.1.1 <a@b>... User unknown" is the last word about him.
    answered_ = names && refusal != 0;
    commanded_ = false;
    answer_.clear();
    return false;
  }
  if (refusal == 0 && !(said.size() >= 3 && is_digit(said[0]) && is_digit(said[1]) && is_digit(said[2]))) {
    // Commands sent together are answered one after the other: whose the replies are is not told.
    const bool together = commanded_ && names;
    append(talking_);
    append(line);
    if (together || (!names && indent_of(line) <= indent_)) close();
    commanded_ = true;
    answered_ = false;
    answer_.clear();
    return true;
  }
  const bool goes_on = !answer_.empty() && said.starts_with(answer_.substr(0, 3));
  if (names) append(talking_);
  if (names || goes_on || !answered_) append(line);
  answer_ = said.size() > 3 && said[3] == '-' ? std::string(said.substr(0, 4)) : std::string();
  commanded_ = false;
  answered_ = true;
  told_ = true;
  return true;
}

void OwnWords::append(std::string_view line) {
  for (const size_t slot : owners_) {
    std::string& words = words_[slot];
    if (words.size() + line.size() < kKept) words.append(line).append(1, '\n');
  }
}

void OwnWords::close() {
  owners_.clear();
  names_alone_ = 0;
  told_ = leads_on_ = false;
}

// The line begins with somebody who is none of the recipients.
bool OwnWords::is_about_another(std::string_view line) const {
  const std::string_view bare = without_ends(behind_codes(trimmed(line)));
  AddressSpan span;
  return find_address(bare, 0, &span) && span.begin == 0 && indent_of(line) <= indent_;
}

}  // namespace bounce::report
