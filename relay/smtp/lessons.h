// What a session learnt about its peer that the next one should know. The owner of the sessions keeps it for
// a while; a session only says it.
#pragma once

#include <cstdint>

#include "relay/smtp/peer_features.h"

namespace relay::smtp {

enum class Extension : uint8_t {
  kPipelining,
  kChunking,
  kEightBitMime,  // its parameter
  kSize,
  kSmtpUtf8,
  kDsn,
  kStartTls,
  kEightBitContent,  // 8BITMIME and what it is for
};

class ExtensionSet {
 public:
  bool has(Extension extension) const { return (bits_ & bit(extension)) != 0; }
  void add(Extension extension) { bits_ = static_cast<uint8_t>(bits_ | bit(extension)); }
  void remove(Extension extension) { bits_ = static_cast<uint8_t>(bits_ & ~bit(extension)); }
  void add(ExtensionSet others) { bits_ = static_cast<uint8_t>(bits_ | others.bits_); }
  bool empty() const { return bits_ == 0; }
  bool operator==(const ExtensionSet&) const = default;

 private:
  static uint8_t bit(Extension extension) {
    return static_cast<uint8_t>(uint8_t{1} << static_cast<unsigned>(extension));
  }
  uint8_t bits_ = 0;
};

struct Lessons {
  ExtensionSet refused;                     // offered, then refused or not mastered: better left out
  AuthSet refused_auth;                     // offered, then refused, while it takes another one
  bool wants_tls = false;                   // it takes no mail in clear
  uint32_t messages_per_connection = 0;     // 0: nothing learnt
  uint32_t recipients_per_transaction = 0;  // 0: nothing learnt
  bool operator==(const Lessons&) const = default;
  bool any() const {
    return !refused.empty() || !refused_auth.empty() || wants_tls || messages_per_connection != 0 ||
           recipients_per_transaction != 0;
  }
};

// Takes from `*peer` what is better left out.
void leave_out(ExtensionSet extensions, PeerFeatures* peer);

}  // namespace relay::smtp
