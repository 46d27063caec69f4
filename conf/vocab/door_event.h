// A client that was refused at the door, or many alike: who, where, why. Part of the delivery log's events.
#pragma once

#include <cstdint>
#include <string>

namespace conf {

enum class DoorReason : uint8_t {
  kWrongPassword,       // AUTH, 535
  kTooManyLogins,       // AUTH, 454: too many were wrong before, the secret was not looked at
  kLoginsBusy,          // AUTH, 454: too many wait
  kRelayingDenied,      // RCPT, 554 5.7.1
  kTlsFailed,           // the handshake
  kTlsWanted,           // MAIL or AUTH without TLS
  kBareNewline,         // in a command or a message
  kMessageRefused,      // too big, too many hops, a line too long
  kLostConnection,      // in the middle of a transaction
  kTimedOut,            // 421 4.4.2
  kRepliesUnread,       // the client does not read
  kTooManyConnections,  // of the listener
  kTooManyOfClient,     // connections of this client
  kTooManyErrors,       // 421 after max_errors
  kTooManyRecipients,   // 452 4.5.3
  kShortOfMemory,       // 452 4.3.1, the share of the client or of all
  kNotAccepting,        // 452 4.3.1: the queue or the disk is full, or the relay goes down
  kOtherProtocol,       // HTTP and the like
  kSenderDenied,        // MAIL, 550 5.7.1: a sender that the user may not use
  kTooManyMessages,     // 450 4.7.1: the user's messages of this hour are used up
  kLoginWanted,         // MAIL, 530 5.7.0: the listener takes mail of users only
};
inline constexpr size_t kDoorReasons = static_cast<size_t>(DoorReason::kLoginWanted) + 1;

// "wrong_password": in the log, in metrics and on standard error.
const char* to_text(DoorReason reason);

struct DoorEvent {
  DoorReason reason = DoorReason::kWrongPassword;
  std::string client;  // address of the latest; empty: of many, when there were too many to tell apart
  std::string listener;
  // The name that was tried, printable. Of several refusals that of all, or of more than half of them, and
  // then `of_user` says how many at least; empty: none was given, or many.
  std::string user;
  uint64_t of_user = 0;    // 0: all
  std::string detail;      // such as the recipient; printable; of several as `user` is
  uint64_t of_detail = 0;  // 0: all
  uint64_t count = 1;      // how many since the last event of this client, listener and reason
};

// "refused client=192.0.2.1 listener=in reason=wrong_password user=shop count=1", for standard error and
// fail2ban.
std::string door_line(const DoorEvent& event);

// How often a listener refused for a reason, since the start.
struct DoorCount {
  std::string listener;
  DoorReason reason = DoorReason::kWrongPassword;
  uint64_t count = 0;
};

}  // namespace conf
