// Signer: makes the DKIM-Signature field of a message. Two engines stand behind it: evp (OpenSSL with keys
// parsed once) and opendkim (libopendkim). Both give the same signature for the same input. Any thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "conf/dkim_settings.h"
#include "conf/vocab/result.h"
#include "conf/vocab/time.h"
#include "dkim/digest.h"
#include "dkim/mail_fields.h"
#include "dkim/private_key.h"

namespace dkim {

// A message being signed, by one key or by several: what they share is computed once.
class Mail {
 public:
  // As split_mail(); and kInvalid for a bare LF or CR in the body. Borrows the bytes.
  static conf::Result<Mail> parse(std::string_view bytes);
  const MailFields& fields() const { return fields_; }
  std::string_view bytes() const { return bytes_; }
  const std::string& body_hash(conf::Canonicalization how);  // base64

 private:
  std::string_view bytes_;
  MailFields fields_;
  std::array<std::string, 2> body_hashes_;
};

// A key with what it signs as.
struct SigningKey {
  std::shared_ptr<const PrivateKey> key;
  std::string domain;    // d=
  std::string selector;  // s=
  conf::DkimOptions options;
};

class Signer {
 public:
  virtual ~Signer() = default;
  // The whole field with its CRLF, to be put on top of the message.
  virtual conf::Result<std::string> sign(const SigningKey& key, Mail* mail, conf::WallTime now) const = 0;
};

std::unique_ptr<Signer> make_signer(conf::DkimEngine engine);

}  // namespace dkim
