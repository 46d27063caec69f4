// What was sent lately, for reports that bring no token of ours back: they are matched by the Message-ID that
// they return, or by their recipient, and only with what we remember.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "conf/vocab/logged_header.h"
#include "conf/vocab/time.h"

namespace bounce {

// One recipient of one message, from the moment its receiver took it.
struct SentMail {
  uint64_t message = 0;
  conf::WallTime at;
  std::string recipient;         // in lower case
  std::string sender;            // the original reverse-path
  std::string user;              // who logged in; empty: nobody
  std::string site, source;      // as in the log
  std::string stream;            // likewise; empty: none, or not known
  std::string envid;             // RFC 3461
  conf::LoggedHeaderPtr header;  // its Message-ID and what else the log says of it; may be null
  bool with_token = false;       // it went out with a signed return path
};

// Any thread; may wait for the disk, so not for the loop. What cannot be read is not there.
class SentMemory {
 public:
  virtual ~SentMemory() = default;
  // `recipient` in any case.
  virtual std::optional<SentMail> find(uint64_t message, std::string_view recipient) = 0;
  // Of any of its recipients.
  virtual std::optional<SentMail> of_message(uint64_t message) = 0;
  // Of a recipient whom `fits` takes; at most kMostAsked are asked for.
  using Fits = std::function<bool(const std::string& recipient)>;
  static constexpr size_t kMostAsked = 10'000;
  virtual std::optional<SentMail> fitting(uint64_t message, const Fits& fits) = 0;
  // The latest one with this Message-ID (without angle brackets) that went to the recipient, after `after`.
  virtual std::optional<SentMail> with_id(std::string_view message_id, std::string_view recipient,
                                          conf::WallTime after) = 0;
  // One with this Message-ID, after `after`. `*alone`: it went to nobody else.
  virtual std::optional<SentMail> with_id(std::string_view message_id, conf::WallTime after, bool* alone) = 0;
  // The latest one that went to the recipient, after `after`.
  virtual std::optional<SentMail> latest_to(std::string_view recipient, conf::WallTime after) = 0;
};

}  // namespace bounce
