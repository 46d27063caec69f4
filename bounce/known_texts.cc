#include "bounce/known_texts.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "bounce/bare_name.h"
#include "bounce/fold.h"
#include "bounce/rule_set.h"

namespace bounce {

namespace {

// The template leaves it out there, too.
bool is_said_again(const Reply& reply, std::string_view local_part) {
  size_t times = 0;
  for (const std::string& line : reply.lines) {
    for (size_t at = line.find(local_part); at != std::string::npos; at = line.find(local_part, at + 1)) {
      if (++times > 1) return true;
    }
  }
  return false;
}

// Appends the text with `*` for each mail address, as fold() and text_template() read it.
void append_without_addresses(std::string_view text, const Reply& reply, std::string* out) {
  for (size_t begin = 0; begin < text.size();) {
    const void* found = std::memchr(text.data() + begin, '@', text.size() - begin);
    if (found == nullptr) {
      out->append(text.substr(begin));
      return;
    }
    const auto at = static_cast<size_t>(static_cast<const char*>(found) - text.data());
    size_t local = at;  // where the run of ASCII atoms before it begins
    while (local > begin && static_cast<unsigned char>(text[local - 1]) < 0x80 &&
           is_address_character(static_cast<unsigned char>(text[local - 1])))
      --local;
    // A local part with other letters stays as it is, and so does a literal, which ends otherwise in a URL.
    const bool whole = local == begin || static_cast<unsigned char>(text[local - 1]) < 0x80;
    const size_t end = end_of_address(text, at);
    if (local == at || end == at + 1 || !whole || text[at + 1] == '[' ||
        is_said_again(reply, text.substr(local, at - local))) {
      out->append(text.substr(begin, at + 1 - begin));
      begin = at + 1;
      continue;
    }
    out->append(text.substr(begin, local - begin));
    *out += '*';
    begin = end;
  }
}

size_t room_for(size_t most, size_t ways) {
  size_t size = ways;
  while (size < most) size *= 2;
  return size;
}

}  // namespace

KnownTexts::KnownTexts(std::shared_ptr<const Qualifier> qualifier, size_t most)
    : qualifier_(std::move(qualifier)), most_(room_for(most, kWays)) {}

void KnownTexts::use(std::shared_ptr<const Qualifier> qualifier) {
  qualifier_ = std::move(qualifier);
  entries_.clear();
}

void KnownTexts::resize(size_t most) {
  most_ = room_for(most, kWays);
  entries_.clear();
}

// False: the occasion is none to remember.
bool KnownTexts::write_key(const Occasion& occasion) {
  const Reply& reply = *occasion.reply;
  key_.clear();
  if (reply.lines.size() > 20) return false;
  const uint16_t code = reply.code;
  key_ += static_cast<char>(occasion.stage);
  key_ += occasion.smart_host ? 's' : 'm';
  key_.append(reinterpret_cast<const char*>(&code), sizeof code);
  for (const std::string& line : reply.lines) {
    if (line.size() > kLongestText || key_.size() > kLongestText) return false;
    append_without_addresses(without_bare_name(line, occasion.local_part), reply, &key_);
    key_ += '\n';
  }
  const RuleSet::Places& places = qualifier_->rules().places();
  for (const auto& [asked, text] :
       {std::pair(places.mx, occasion.mx_host), std::pair(places.domains, occasion.recipient_domain),
        std::pair(places.sources, occasion.source)}) {
    if (!asked) continue;
    key_.append(text);
    key_ += '\n';
  }
  return true;
}

const Qualification& KnownTexts::qualify(const Occasion& occasion) {
  if (!write_key(occasion)) {
    ++misses_;
    return unknown_ = qualifier_->qualify(occasion);
  }
  if (entries_.empty()) entries_.resize(most_);
  const size_t hash = std::hash<std::string_view>()(key_);
  Entry* const first = &entries_[hash % (most_ / kWays) * kWays];
  for (Entry* each = first; each != first + kWays; ++each) {
    if (each->hash != hash || each->key != key_) continue;
    ++hits_;
    if (each != first) std::swap(*each, *(each - 1));
    return (each == first ? first : each - 1)->meaning;
  }
  ++misses_;
  // It takes the second place: a flood of texts that never come back pushes out no text that does.
  Entry& last = first[kWays - 1];
  last.hash = hash;
  last.key = key_;
  last.meaning = qualifier_->qualify(occasion);
  std::rotate(first + 1, first + kWays - 1, first + kWays);
  return first[1].meaning;
}

}  // namespace bounce
