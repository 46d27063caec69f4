// Verifies the signatures of a message with libopendkim: a second opinion on what our engines make, and
// `penstock dkim verify`. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/result.h"

namespace dkim {

class OpendkimLibrary;

struct Verdict {  // of one signature
  std::string domain, selector, algorithm;
  bool good = false;
  bool temporary = false;  // the key could not be asked for just now
  std::string why;         // when it is not good
};

class OpendkimVerifier {
 public:
  // The text of the record at "selector._domainkey.domain": kNotFound when there is none, another error when
  // it could not be asked for. Called on the thread that verifies.
  using KeyLookup = std::function<conf::Result<std::string>(const std::string& name)>;
  explicit OpendkimVerifier(KeyLookup lookup);
  ~OpendkimVerifier();

  // One verdict for each signature, from the top of the message (those that cannot be read come first); none:
  // it has none. kInvalid: the message cannot be read (see split_mail), or libopendkim refuses it.
  conf::Result<std::vector<Verdict>> verify(std::string_view mail) const;

 private:
  KeyLookup lookup_;
  std::unique_ptr<OpendkimLibrary> library_;
};

}  // namespace dkim
