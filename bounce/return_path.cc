#include "bounce/return_path.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bounce/return_path_mac.h"
#include "conf/vocab/ascii.h"
#include "conf/vocab/check.h"
#include "conf/vocab/text.h"

namespace bounce {
namespace {

using conf::Error;
using conf::ErrorCode;

constexpr size_t kBodyOctets = 15;  // grade and key, message, recipient, day
constexpr size_t kMacOctets = 8;    // 64 bits: nobody guesses one within the life of a token
constexpr size_t kFieldMacOctets = 10;
constexpr size_t kTokenOctets = kBodyOctets + kMacOctets;
constexpr std::string_view kPurpose = "penstock return path 2";  // no signature for anything else counts here
constexpr std::string_view kWhomPurpose = "penstock return path whom 2";
constexpr std::string_view kFieldPurpose = "penstock return field 1";
constexpr std::string_view kFieldMacPurpose = "penstock return field mac 1";
constexpr size_t kFieldLine = 70;
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr int64_t kMicrosADay = 86'400'000'000;
constexpr int64_t kFirstDay = 18'262;  // 2020-01-01

uint16_t day_of(conf::WallTime time) {
  const int64_t day = conf::unix_micros(time) / kMicrosADay - kFirstDay;
  return static_cast<uint16_t>(std::clamp<int64_t>(day, 0, 0xffff));
}

void put(uint64_t value, int octets, std::string* out) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) *out += static_cast<char>(value >> shift & 0xff);
}

uint64_t get(std::string_view octets) {
  uint64_t value = 0;
  for (const char c : octets) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string to_base32(std::string_view octets) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  for (const char c : octets) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (held += 8; held >= 5; held -= 5) out += kAlphabet[bits >> (held - 5) & 31];
  }
  if (held > 0) out += kAlphabet[bits << (5 - held) & 31];
  return out;
}

// False for characters of no meaning and for spare bits that are not zero: one token has one spelling.
bool from_base32(std::string_view text, std::string* out) {
  uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const char folded = conf::ascii_lower(c);
    const size_t value = kAlphabet.find(folded);
    if (value == std::string_view::npos) return false;
    bits = bits << 5 | static_cast<uint32_t>(value);
    held += 5;
    if (held < 8) continue;
    held -= 8;
    *out += static_cast<char>(bits >> held & 0xff);
  }
  return (bits & ((1U << held) - 1)) == 0;
}

std::string mac_of(const ReturnKey& key, std::string_view body) {
  const std::array<uint8_t, 32> whole = hmac_sha256(key.secret, std::string(kPurpose).append(body));
  return {reinterpret_cast<const char*>(whole.data()), kMacOctets};
}

std::string octets_of(const std::array<uint8_t, 32>& mac, size_t count) {
  return {reinterpret_cast<const char*>(mac.data()), count};
}

// Whom a token is about, as one text: receivers fold the local part.
std::string whom_text(VerpGrade grade, const conf::Mailbox& recipient) {
  std::string text = grade == VerpGrade::kRecipient ? conf::ascii_lower(recipient.local) : std::string();
  return text.append("@").append(recipient.domain.text());
}

uint32_t whom_under(const ReturnKey& key, const ReturnToken& token, const conf::Mailbox& recipient) {
  std::string text(kWhomPurpose);
  put(token.message, 8, &text);
  return static_cast<uint32_t>(
      get(octets_of(hmac_sha256(key.secret, text.append(whom_text(token.grade, recipient))), 4)));
}

std::string field_mac(const ReturnKey& key, std::string_view token, std::string_view address) {
  return octets_of(hmac_sha256(key.secret, std::string(kFieldMacPurpose).append(token).append(address)),
                   kFieldMacOctets);
}

// Encrypts and decrypts: HMAC-SHA256 in counter mode, begun with the MAC of the clear text (SIV, RFC 5297),
// so that no stretch of the cipher serves two addresses.
std::string ciphered(const ReturnKey& key, std::string_view token, std::string_view mac, std::string text) {
  for (size_t from = 0; from < text.size(); from += 32) {
    std::string block(kFieldPurpose);
    block.append(token).append(mac).append(std::to_string(from));
    const std::array<uint8_t, 32> pad = hmac_sha256(key.secret, block);
    for (size_t i = from; i < std::min(from + 32, text.size()); ++i)
      text[i] = static_cast<char>(static_cast<uint8_t>(text[i]) ^ pad[i - from]);
  }
  return text;
}

bool hex_octets(std::string_view text, std::string* out) {
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = conf::hex_value(text[i]), low = conf::hex_value(text[i + 1]);
    if (high < 0 || low < 0) return false;
    *out += static_cast<char>(high << 4 | low);
  }
  return true;
}

}  // namespace

const char* to_text(TokenState state) {
  switch (state) {
    case TokenState::kNone:
      return "none";
    case TokenState::kValid:
      return "valid";
    case TokenState::kExpired:
      return "expired";
    case TokenState::kForged:
      return "forged";
  }
  return "none";
}

conf::Result<ReturnKeys> ReturnKeys::make(std::vector<ReturnKey> keys) {
  if (keys.empty()) return Error{ErrorCode::kInvalid, "no key for the return path; add a line \"1 SECRET\""};
  std::array<bool, 16> seen{};
  for (const ReturnKey& key : keys) {
    const std::string name = "return-path key " + std::to_string(key.number);
    if (key.number > 15) return Error{ErrorCode::kInvalid, name + ": numbers go from 0 to 15"};
    if (seen[key.number]) return Error{ErrorCode::kInvalid, name + " is there twice"};
    if (key.secret.size() < 16)
      return Error{ErrorCode::kInvalid, name + ": the secret needs at least 16 octets"};
    seen[key.number] = true;
  }
  return ReturnKeys(std::move(keys));
}

conf::Result<ReturnKeys> ReturnKeys::parse(std::string_view text, std::string_view file_name) {
  std::vector<ReturnKey> keys;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    line = conf::trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t space = std::min(line.find_first_of(" \t"), line.size());
    ReturnKey key;
    unsigned value = 0;
    for (const char c : line.substr(0, space))
      value = c >= '0' && c <= '9' && value < 16 ? value * 10 + static_cast<unsigned>(c - '0') : 99;
    key.number = static_cast<uint8_t>(std::min(value, 99U));
    if (value > 15 || !hex_octets(conf::trimmed(line.substr(space)), &key.secret) || key.secret.size() < 16) {
      return Error{ErrorCode::kInvalid,
                   std::string(file_name) + ":" + std::to_string(number) +
                       ": write \"NUMBER SECRET\": a number from 0 to 15 and at least 32 hexadecimal digits"};
    }
    keys.push_back(std::move(key));
  }
  conf::Result<ReturnKeys> made = make(std::move(keys));
  if (!made.ok()) return Error{ErrorCode::kInvalid, std::string(file_name) + ": " + made.error().detail};
  return made;
}

std::string ReturnKeys::sign(const ReturnToken& token) const {
  const ReturnKey& key = keys_.front();
  std::string octets;
  octets.reserve(kTokenOctets);
  put(static_cast<uint64_t>(token.grade) << 4 | key.number, 1, &octets);
  put(token.message, 8, &octets);
  put(token.whom, 4, &octets);
  put(day_of(token.expires), 2, &octets);
  CHECK(octets.size() == kBodyOctets);
  octets += mac_of(key, octets);
  return to_base32(octets);
}

const ReturnKey* ReturnKeys::key_of(uint8_t number) const {
  const auto key =
      std::find_if(keys_.begin(), keys_.end(), [&](const ReturnKey& each) { return each.number == number; });
  return key == keys_.end() ? nullptr : &*key;
}

uint32_t ReturnKeys::check_of(const ReturnToken& token, const conf::Mailbox& recipient) const {
  if (token.grade == VerpGrade::kMessage || token.grade == VerpGrade::kOff) return 0;
  return whom_under(keys_.front(), token, recipient);
}

bool ReturnKeys::is_for(const ReturnToken& token, const conf::Mailbox& recipient) const {
  if (token.grade == VerpGrade::kMessage || token.grade == VerpGrade::kOff) return false;
  const ReturnKey* key = key_of(token.key);
  return key != nullptr && whom_under(*key, token, recipient) == token.whom;
}

TokenState ReturnKeys::check(std::string_view text, conf::WallTime now, ReturnToken* token) const {
  std::string octets;
  if (text.size() != kTokenLength || !from_base32(text, &octets) || octets.size() != kTokenOctets) {
    return text.empty() ? TokenState::kNone : TokenState::kForged;
  }
  const std::string_view body = std::string_view(octets).substr(0, kBodyOctets);
  const uint8_t first = static_cast<uint8_t>(body[0]);
  const ReturnKey* key = key_of(first & 15);
  if (key == nullptr || !same_octets(mac_of(*key, body), std::string_view(octets).substr(kBodyOctets))) {
    return TokenState::kForged;
  }
  const auto day = static_cast<uint16_t>(get(body.substr(13, 2)));
  token->grade =
      static_cast<VerpGrade>(std::min<uint8_t>(first >> 4, static_cast<uint8_t>(VerpGrade::kRecipient)));
  token->key = key->number;
  token->message = get(body.substr(1, 8));
  token->whom = static_cast<uint32_t>(get(body.substr(9, 4)));
  token->expires = conf::from_unix_micros((day + kFirstDay + 1) * kMicrosADay - 1);
  return day_of(now) > day ? TokenState::kExpired : TokenState::kValid;
}

TokenState ReturnKeys::check_address(std::string_view address, std::string_view prefix, conf::WallTime now,
                                     ReturnToken* token) const {
  const std::string_view local = address.substr(0, address.rfind('@'));
  if (local.size() <= prefix.size() || local[prefix.size()] != '+') return TokenState::kNone;
  const bool ours = std::equal(prefix.begin(), prefix.end(), local.begin(), [](char a, char b) {
    const auto fold = [](char c) { return conf::ascii_lower(c); };
    return fold(a) == fold(b);
  });
  return ours ? check(local.substr(prefix.size() + 1), now, token) : TokenState::kNone;
}

TokenState ReturnKeys::check_message_id(std::string_view id, conf::WallTime now, ReturnToken* token) const {
  const std::string_view left = id.substr(0, id.rfind('@'));
  const auto in_token = [](char c) { return kAlphabet.find(conf::ascii_lower(c)) != std::string_view::npos; };
  if (left.size() != kTokenLength || !std::ranges::all_of(left, in_token)) return TokenState::kNone;
  ReturnToken found;
  const TokenState state = check(left, now, &found);
  if (state == TokenState::kForged || found.grade != VerpGrade::kMessage) return TokenState::kForged;
  *token = found;
  return state;
}

std::string ReturnKeys::local_part(std::string_view prefix, const ReturnToken& token) const {
  CHECK(prefix.size() <= kLongestPrefix);
  return std::string(prefix) + "+" + sign(token);
}

std::string ReturnKeys::field_value(const ReturnToken& token, const conf::Mailbox& recipient) const {
  std::string text = sign(token);
  const std::string mac = field_mac(keys_.front(), text, recipient.text());
  const std::string sealed = to_base32(mac + ciphered(keys_.front(), text, mac, recipient.text()));
  text += '.';
  for (size_t from = 0; from < sealed.size(); from += kFieldLine) {
    text.append("\r\n ").append(sealed, from, kFieldLine);
  }
  return text;
}

TokenState ReturnKeys::check_field(std::string_view value, conf::WallTime now, ReturnToken* token,
                                   conf::Mailbox* recipient) const {
  *recipient = conf::Mailbox();
  std::string text;
  for (const char c : value) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') text += conf::ascii_lower(c);
  }
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string_view signature = std::string_view(text).substr(0, dot);
  const TokenState state = check(signature, now, token);
  if ((state != TokenState::kValid && state != TokenState::kExpired) || dot == text.size()) return state;
  const ReturnKey* key = key_of(token->key);
  std::string sealed;
  if (key == nullptr || !from_base32(std::string_view(text).substr(dot + 1), &sealed) ||
      sealed.size() <= kFieldMacOctets)
    return state;
  const std::string_view mac = std::string_view(sealed).substr(0, kFieldMacOctets);
  const std::string address = ciphered(*key, signature, mac, sealed.substr(kFieldMacOctets));
  if (!same_octets(field_mac(*key, signature, address), mac)) return state;
  conf::Result<conf::Mailbox> read = conf::Mailbox::parse(address);
  if (read.ok()) *recipient = *read;
  return state;
}

}  // namespace bounce
